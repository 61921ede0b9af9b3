/** A set of ranges of addresses that only grows. */
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { UsedRange } from '../../../shared/relocation.ts';

/** Ranges that are kept before they are united. */
const LOOSE_MAX = 2048;

export class Ranges {
  #ranges: UsedRange[] = [];
  /** How many there were when they were last united. */
  #united = 0;
  #last: UsedRange = { start: 0, end: 0 };

  /** Adds the pages that [start, end) touches. */
  add(start: number, end: number): void {
    if (start >= this.#last.start && end <= this.#last.end) return;
    const first = Math.floor(start / PAGE_SIZE) * PAGE_SIZE;
    this.#last = { start: first, end: Math.ceil(end / PAGE_SIZE) * PAGE_SIZE };
    this.#ranges.push(this.#last);
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
