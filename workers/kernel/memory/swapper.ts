/**
 * Moves pages between frames and the swap store. The kernel's swap map says what a slot means; this
 * moves its bytes.
 *
 * Guarantees: one write of a slot at a time; a slot that several CPUs wait for is read once; an
 * answer that comes too late for its page is dropped (by the swap map).
 * Not guaranteed: that the store takes a page. Then its frame stays in memory, and is tried again.
 */
import {
  INJECT_SWAP,
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
  putFrame,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { EIO, ENOMEM } from '../../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { SwapStore } from '../../platform.ts';
import { describeThrown } from '../../wire/errors.ts';
import { inKernel } from '../in-kernel.ts';

/** Slots looked at with each call of `write`. */
const SWEEP_SLOTS = 2048;

export interface SwapperNeeds {
  readonly cpu: Cpu;
  readonly store: SwapStore;
  /** Receives the errors of reads and writes. */
  readonly log: (line: string) => void;
}

export class Swapper {
  readonly #cpu: Cpu;
  readonly #store: SwapStore;
  readonly #log: (line: string) => void;
  readonly #reads = new Map<number, Promise<number>>();
  /** Slots being written, and those that were asked for again meanwhile. */
  readonly #writing = new Set<number>();
  readonly #again = new Set<number>();
  /** Where the next search for unused frames begins. */
  #hand = 1;

  constructor({ cpu, store, log }: SwapperNeeds) {
    this.#cpu = cpu;
    this.#store = store;
    this.#log = log;
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
      await this.#store.write(slot, bytes);
    } catch (error) {
      this.#log(`swap: slot ${slot} cannot be written: ${describeThrown(error)}`);
      written = false;
    }
    this.#writing.delete(slot);
    const freed = inKernel(cpu, () => endSwapWrite(cpu, slot, written));
    return this.#again.delete(slot) ? freed + (await this.#write(slot)) : freed;
  }

  async #read(slot: number): Promise<number> {
    const cpu = this.#cpu;
    const uses = inKernel(cpu, () => beginSwapRead(cpu, slot));
    if (uses === 0) return 0;
    let bytes: Uint8Array;
    try {
      bytes = await this.#store.read(slot);
    } catch (error) {
      this.#log(`swap: slot ${slot} cannot be read: ${describeThrown(error)}`);
      return -EIO;
    }
    if (bytes.length !== PAGE_SIZE) return -EIO;
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
