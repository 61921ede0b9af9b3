/**
 * write(2) to descriptors 1 and 2: the host's standard output and error, which are not objects
 * of the machine. Resolves when the host has taken the bytes, so that a fast program waits.
 */
import { WAIT_PAGE, copyFromUser, isUserRange, spaceOfPid } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { EFAULT, EINVAL, EIO, ESRCH } from '../../../shared/abi/errno.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE } from '../../../shared/limits.ts';
import { panic } from '../../../shared/panic.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { inKernel } from '../in-kernel.ts';
import { FRAME_REQUEST, takePageRequest } from '../memory/page-request.ts';
import type { PageRequest } from '../memory/page-request.ts';

/** Most bytes of one call; a longer one writes a part, as a pipe may. */
const WRITE_BYTES_MAX = 2 ** 20;

/** How far a copy got, and why it stopped: -errno, what it waits for, or a refusal (null). */
interface CopyStep {
  readonly done: number;
  readonly stop: number | PageRequest | null;
}

/** Hands bytes to the host; resolves when it has taken them. */
export type HostOutput = (fd: number, bytes: Uint8Array, pid: number) => Promise<void>;

export interface StandardStreamsNeeds {
  readonly cpu: Cpu;
  /** Gets what the copy waits for, on a process's behalf. 0 or -errno. */
  readonly fulfil: (pid: number, request: PageRequest) => Promise<number>;
  readonly output: HostOutput;
  /** Receives the errors of the host's output. */
  readonly log: (line: string) => void;
}

export class StandardStreams {
  readonly #cpu: Cpu;
  readonly #needs: StandardStreamsNeeds;

  constructor(needs: StandardStreamsNeeds) {
    this.#cpu = needs.cpu;
    this.#needs = needs;
  }

  /** Bytes written, or -errno. */
  async write(pid: number, fd: number, address: number, length: number): Promise<number> {
    if (!Number.isInteger(address) || !Number.isInteger(length) || length < 0) return -EINVAL;
    const bytes = new Uint8Array(Math.min(length, WRITE_BYTES_MAX));
    if (!isUserRange(address, bytes.length)) return -EFAULT;
    const copied = await this.#copy(pid, address, bytes);
    if (copied < 0) return copied;
    if (copied === 0) return length === 0 ? 0 : -EFAULT;
    try {
      await this.#needs.output(fd, bytes.subarray(0, copied), pid);
    } catch (error) {
      // The host's output is full or closed, or its sink throws.
      this.#needs.log(`descriptor ${fd}: not written: ${describeThrown(error)}`);
      return -EIO;
    }
    return copied;
  }

  /** Bytes copied, fewer than all where a page refuses; or -errno. */
  async #copy(pid: number, address: number, bytes: Uint8Array): Promise<number> {
    let done = 0;
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      const step = inKernel(this.#cpu, () => this.#copyPages(pid, address, bytes, done));
      done = step.done;
      if (step.stop === null) return done;
      if (typeof step.stop === 'number') return step.stop;
      const outcome = await this.#needs.fulfil(pid, step.stop);
      if (outcome < 0) return outcome;
    }
    return panic('StandardStreams: a page is supplied again and again', pid);
  }

  /**
   * From byte `done` on, in kernel mode. Page by page: what is copied may be reclaimed before the
   * rest is there.
   */
  #copyPages(pid: number, address: number, bytes: Uint8Array, done: number): CopyStep {
    const cpu = this.#cpu;
    const space = spaceOfPid(cpu, pid);
    if (space === 0) return { done, stop: -ESRCH };
    cpu.lacksFrame = false;
    for (let at = done; at < bytes.length;) {
      const from = address + at;
      const piece = Math.min(bytes.length - at, PAGE_SIZE - (from % PAGE_SIZE));
      const copied = copyFromUser(cpu, space, from, bytes.subarray(at, at + piece));
      if (copied === -WAIT_PAGE) return { done: at, stop: takePageRequest(cpu) };
      at += copied;
      if (copied < piece) return { done: at, stop: cpu.lacksFrame ? FRAME_REQUEST : null };
    }
    return { done: bytes.length, stop: null };
  }
}
