/**
 * write(2) to descriptors 1 and 2: the host's standard output and error, which are no objects of
 * the machine. Resolves when the host has taken the bytes, so that a fast program waits.
 */
import { WAIT_PAGE, copyFromUser, releaseFaultObject, spaceOfPid } from '../../kernel/index.ts';
import type { Cpu } from '../../kernel/index.ts';
import { EFAULT, EINVAL, EIO, ENOMEM, ESRCH } from '../../shared/errno.ts';
import { FAULT_RETRIES_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { inKernel } from './in-kernel.ts';
import type { PageSupply } from './page-supply.ts';
import type { Reclaimer } from './reclaimer.ts';

/** Most bytes of one call; a longer one writes a part, as a pipe may. */
const WRITE_BYTES_MAX = 2 ** 20;

/** Hands bytes to the host; resolves when it has taken them. */
export type HostOutput = (fd: number, bytes: Uint8Array, pid: number) => Promise<void>;

export class StandardStreams {
  readonly #cpu: Cpu;
  readonly #supply: PageSupply;
  readonly #reclaimer: Reclaimer;
  readonly #output: HostOutput;

  constructor(cpu: Cpu, supply: PageSupply, reclaimer: Reclaimer, output: HostOutput) {
    this.#cpu = cpu;
    this.#supply = supply;
    this.#reclaimer = reclaimer;
    this.#output = output;
  }

  /** Bytes written, or -errno. */
  async write(pid: number, fd: number, address: number, length: number): Promise<number> {
    if (!Number.isInteger(address) || !Number.isInteger(length) || length < 0) return -EINVAL;
    const bytes = new Uint8Array(Math.min(length, WRITE_BYTES_MAX));
    const copied = await this.#copy(pid, address, bytes);
    if (copied < 0) return copied;
    if (copied === 0) return length === 0 ? 0 : -EFAULT;
    await this.#output(fd, bytes.subarray(0, copied), pid);
    return copied;
  }

  async #copy(pid: number, address: number, bytes: Uint8Array): Promise<number> {
    const cpu = this.#cpu;
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      const step = inKernel(cpu, () => {
        const space = spaceOfPid(cpu, pid);
        if (space === 0) return { copied: -ESRCH, isShort: false, object: 0, page: 0 };
        cpu.lacksFrame = false;
        const copied = copyFromUser(cpu, space, address, bytes);
        const { faultObject: object, faultPage: page } = cpu;
        if (copied === -WAIT_PAGE) releaseFaultObject(cpu, object);
        const isShort = cpu.lacksFrame && copied >= 0 && copied < bytes.length;
        return { copied, isShort, object, page };
      });
      if (step.copied !== -WAIT_PAGE && !step.isShort) return step.copied;
      const supplied = step.isShort ? -ENOMEM : await this.#supply.supply(step.object, step.page);
      if (supplied < 0 && supplied !== -ENOMEM) return -EIO;
      if (supplied === -ENOMEM && !(await this.#reclaimer.refill(pid))) return -ENOMEM;
    }
    return panic('StandardStreams: a page is supplied again and again', pid);
  }
}
