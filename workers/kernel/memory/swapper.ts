/**
 * Moves pages between frames and the swap store. The kernel's swap map says what a slot means; this
 * moves its bytes.
 *
 * Guarantees: one write of a slot at a time; a slot that several CPUs wait for is read once; an
 * answer that comes too late for its page is dropped (by the swap map).
 * Not guaranteed: that the store takes a page. Then its frame stays in memory, and is tried again;
 * the kernel log says why. A page that cannot be read back is SIGBUS for who touches it.
 */
import {
  INJECT_SWAP,
  LOG_SWAP_READ,
  LOG_SWAP_WRITE,
  STAT,
  abortPageIn,
  beginPageIn,
  beginSwapRead,
  beginSwapWrite,
  count,
  dropCleanFrames,
  endSwapWrite,
  finishSwapRead,
  frameBytesOf,
  injected,
  logEvent,
  putFrame,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { EIO, ENOMEM } from '../../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { SwapStore } from '../../platform.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { inKernel } from '../in-kernel.ts';

/** Slots looked at with each call of `write`. */
const SWEEP_SLOTS = 2048;

export interface SwapperNeeds {
  readonly cpu: Cpu;
  /** Makes the store, at the first page that is written. */
  readonly openStore: () => Promise<SwapStore>;
  /** Receives the errors of reads and writes. */
  readonly log: (line: string) => void;
}

export class Swapper {
  readonly #cpu: Cpu;
  readonly #openStore: SwapperNeeds['openStore'];
  #store: Promise<SwapStore> | null = null;
  readonly #log: (line: string) => void;
  readonly #reads = new Map<number, Promise<number>>();
  /** Slots being written, and those that were asked for again meanwhile. */
  readonly #writing = new Set<number>();
  readonly #again = new Set<number>();
  /** The cause of the last line that the host was told. */
  #said = '';
  #writes = 0;
  /** Where the next search for unused frames begins. */
  #hand = 1;

  constructor({ cpu, openStore, log }: SwapperNeeds) {
    this.#cpu = cpu;
    this.#openStore = openStore;
    this.#log = log;
  }

  /** Pages that the store has taken so far. */
  get writes(): number {
    return this.#writes;
  }

  /**
   * Writes slots that evictions took, and gives back frames that have been written before and are
   * not used any more. Resolves to the frames that became free.
   */
  async write(slots: readonly number[]): Promise<number> {
    const cpu = this.#cpu;
    const { freed, next } = inKernel(cpu, () => dropCleanFrames(cpu, this.#hand, SWEEP_SLOTS));
    this.#hand = next;
    const written = await Promise.all(slots.map((slot) => this.#write(slot)));
    return written.reduce((sum, frames) => sum + frames, freed);
  }

  /** Brings a slot's page into memory. 0, -EIO, or -ENOMEM when there is no frame for it. */
  read(slot: number): Promise<number> {
    let read = this.#reads.get(slot);
    if (read === undefined) {
      read = this.#read(slot).finally(() => this.#reads.delete(slot));
      this.#reads.set(slot, read);
    }
    return read;
  }

  async #write(slot: number): Promise<number> {
    if (this.#writing.has(slot)) {
      this.#again.add(slot);
      return 0;
    }
    const cpu = this.#cpu;
    const bytes = inKernel(cpu, () => {
      const pfn = beginSwapWrite(cpu, slot);
      if (pfn === 0) return null;
      // A copy: what the store gets is the page as it is now.
      const copy = frameBytesOf(cpu.machine, pfn).slice();
      putFrame(cpu, pfn);
      count(cpu, STAT.swapOuts, 1);
      return copy;
    });
    if (bytes === null) return inKernel(cpu, () => endSwapWrite(cpu, slot, true));
    this.#writing.add(slot);
    let written = true;
    try {
      if (injected(cpu, INJECT_SWAP)) throw new Error('failed on purpose (inject)');
      await (await this.#opened()).write(slot, bytes);
      this.#writes++;
    } catch (error) {
      this.#failed(slot, true, error);
      written = false;
    }
    this.#writing.delete(slot);
    const freed = inKernel(cpu, () => endSwapWrite(cpu, slot, written));
    return this.#again.delete(slot) ? freed + (await this.#write(slot)) : freed;
  }

  /** A store that cannot be made is tried again for the next page. */
  #opened(): Promise<SwapStore> {
    this.#store ??= this.#openStore().catch((error: unknown) => {
      this.#store = null;
      throw error;
    });
    return this.#store;
  }

  /** The kernel log has every failure; the host is told of the first of a run of the same cause. */
  #failed(slot: number, isWrite: boolean, error: unknown): void {
    const cpu = this.#cpu;
    const { errno } = error as { readonly errno?: unknown };
    const code = typeof errno === 'number' ? Math.abs(errno) : EIO;
    inKernel(cpu, () => {
      logEvent(cpu, isWrite ? LOG_SWAP_WRITE : LOG_SWAP_READ, slot, code, 0);
      count(cpu, isWrite ? STAT.swapWriteErrors : STAT.swapReadErrors, 1);
    });
    const line = `swap: a page cannot be ${isWrite ? 'written' : 'read'}: ${describeThrown(error)}`;
    const cause = `${isWrite} ${code}`;
    if (cause !== this.#said) this.#log(line);
    this.#said = cause;
  }

  async #read(slot: number): Promise<number> {
    const cpu = this.#cpu;
    const uses = inKernel(cpu, () => beginSwapRead(cpu, slot));
    if (uses === 0) return 0;
    let bytes: Uint8Array;
    try {
      bytes = await (await this.#opened()).read(slot);
      if (bytes.length !== PAGE_SIZE) throw new Error(`the store ends after ${bytes.length} bytes`);
    } catch (error) {
      this.#failed(slot, false, error);
      return -EIO;
    }
    return inKernel(cpu, () => {
      const pfn = beginPageIn(cpu);
      if (pfn === 0) return -ENOMEM;
      frameBytesOf(cpu.machine, pfn).set(bytes);
      count(cpu, STAT.swapIns, 1);
      // Another read came first, or the page is no longer needed: the waiting fault will see.
      if (!finishSwapRead(cpu, slot, uses, pfn)) abortPageIn(cpu, pfn);
      return 0;
    });
  }
}
