/** Loads and stores of device registers: calls of a device module's handlers. */
import { EFAULT, EIO } from '../../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { describeThrown } from '../../wire/errors.ts';
import type { Device } from './extensions.ts';
import type { ObjectRegistry } from './object-registry.ts';
import type { Pager } from '../memory/pager.ts';

export class DeviceAccess {
  readonly #pager: Pager;
  readonly #objects: ObjectRegistry;
  readonly #log: (line: string) => void;

  constructor(pager: Pager, objects: ObjectRegistry, log: (line: string) => void) {
    this.#pager = pager;
    this.#objects = objects;
    this.#log = log;
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
    const place = this.#pager.device(pid, address, write);
    const object = place === null ? undefined : this.#objects.byBlock(place.object);
    if (place === null || !object?.device) return -EFAULT;
    const offset = place.page * PAGE_SIZE + (address % PAGE_SIZE);
    // The last page may be longer than the device.
    if (offset + width > object.device.sizeBytes) return -EFAULT;
    try {
      return await access(object.device, offset);
    } catch (error) {
      this.#log(`${object.name}: offset ${offset}: ${describeThrown(error)}`);
      return -EIO;
    }
  }
}
