/** A set of ranges of addresses that only grows. */
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { UsedRange } from '../../../shared/relocation.ts';

/** Ranges that are kept before they are united. */
const LOOSE_MAX = 2048;
/** Places of a cache of ranges that are known already: programs use the same again and again. */
const RECENT = 1024;

export class Ranges {
  #ranges: UsedRange[] = [];
  /** How many there were when they were last united. */
  #united = 0;
  /** By the number of its first page: that number, and the address after its last one. */
  readonly #recentStart = new Float64Array(RECENT).fill(NaN);
  readonly #recentEnd = new Float64Array(RECENT).fill(NaN);

  /** Adds the pages that [start, end) touches. */
  add(start: number, end: number): void {
    const first = Math.floor(start / PAGE_SIZE);
    const place = first & (RECENT - 1);
    if (this.#recentStart[place] === first && end <= (this.#recentEnd[place] as number)) return;
    const last = Math.ceil(end / PAGE_SIZE) * PAGE_SIZE;
    this.#recentStart[place] = first;
    this.#recentEnd[place] = last;
    this.#ranges.push({ start: first * PAGE_SIZE, end: last });
    if (this.#ranges.length >= LOOSE_MAX + 2 * this.#united) this.#unite();
  }

  /** Adds another set. */
  addAll(other: Ranges): void {
    for (const { start, end } of other.#ranges) this.add(start, end);
  }

  /** Ascending; none touches another. */
  list(): readonly UsedRange[] {
    this.#unite();
    return this.#ranges;
  }

  #unite(): void {
    const sorted = this.#ranges.sort((a, b) => a.start - b.start || a.end - b.end);
    const result: UsedRange[] = [];
    for (const range of sorted) {
      const before = result[result.length - 1];
      if (before === undefined || before.end < range.start) result.push(range);
      else if (before.end < range.end) {
        result[result.length - 1] = { start: before.start, end: range.end };
      }
    }
    this.#ranges = result;
    this.#united = result.length;
  }
}
