/** Loads and stores of device registers: calls of a device module's handlers. */
import { EFAULT, EIO } from '../../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { describeThrown } from '../../wire/thrown.ts';
import type { Device } from './user-modules.ts';
import type { ObjectRegistry } from './object-registry.ts';
import type { PageRequest } from '../memory/page-request.ts';

export interface DeviceAccessNeeds {
  readonly objects: ObjectRegistry;
  /** The device object and page at an address; null when there is none (any more). */
  readonly deviceAt: (pid: number, address: number, write: boolean) => PageRequest | null;
  /** Receives what a device module throws. */
  readonly log: (line: string) => void;
}

export class DeviceAccess {
  readonly #needs: DeviceAccessNeeds;

  constructor(needs: DeviceAccessNeeds) {
    this.#needs = needs;
  }

  /** The register's value, unsigned; -EFAULT where no device is mapped, -EIO when it throws. */
  load(pid: number, address: number, width: number): Promise<number> {
    return this.#access(pid, address, width, false, async (device, offset) => {
      const value = Number(await device.load(offset, width));
      return width === 4 ? value >>> 0 : value & (width === 2 ? 0xffff : 0xff);
    });
  }

  /** 0, -EFAULT or -EIO. */
  store(pid: number, address: number, width: number, value: number): Promise<number> {
    return this.#access(pid, address, width, true, async (device, offset) => {
      await device.store(offset, width, value);
      return 0;
    });
  }

  async #access(
    pid: number,
    address: number,
    width: number,
    write: boolean,
    access: (device: Device, offset: number) => Promise<number>,
  ): Promise<number> {
    const { deviceAt, objects, log } = this.#needs;
    const place = deviceAt(pid, address, write);
    const object = place === null ? undefined : objects.byBlock(place.object);
    if (place === null || !object?.device) return -EFAULT;
    const offset = place.page * PAGE_SIZE + (address % PAGE_SIZE);
    // The last page may be longer than the device.
    if (offset + width > object.device.sizeBytes) return -EFAULT;
    try {
      return await access(object.device, offset);
    } catch (error) {
      log(`${object.name}: offset ${offset}: ${describeThrown(error)}`);
      return -EIO;
    }
  }
}
