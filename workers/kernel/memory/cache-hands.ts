/** Reclaim of the page cache: frees pages of files and backends that no process maps. */
import { evictObjectPages } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import * as BOOT from '../../../shared/layout/boot.ts';

/** A file's page is not freed this soon after it was read: its requester must find it first. */
export const CACHE_GRACE_MS = 50;

export class CacheHands {
  readonly #cpu: Cpu;
  readonly #objects: () => readonly number[];
  /** Where the next pass begins in an object's pages. */
  readonly #hands = new Map<number, number>();

  /** `objects`: blocks of the objects that the host registered. */
  constructor(cpu: Cpu, objects: () => readonly number[]) {
    this.#cpu = cpu;
    this.#objects = objects;
  }

  /** Frees up to `target` pages. `young`: pages that could go but for their age. Kernel mode. */
  evict(target: number): { readonly freed: number; readonly young: number } {
    const before = peek(this.#cpu.words, BOOT.JIFFIES) - CACHE_GRACE_MS;
    let [left, young] = [target, 0];
    for (const object of this.#objects()) {
      if (left <= 0) break;
      const first = this.#hands.get(object) ?? 0;
      const evicted = evictObjectPages(this.#cpu, object, first, left, before);
      this.#hands.set(object, evicted.nextPage);
      left -= evicted.freed;
      young += evicted.young;
    }
    return { freed: target - left, young };
  }
}
