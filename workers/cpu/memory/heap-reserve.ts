/**
 * Makes sure of the JavaScript heap before the kernel is entered. An engine that finds no room for
 * an object ends the whole Worker, at once and wherever it is: inside the kernel, that would be the
 * machine's end. So a process that has used up the heap is ended before, in user mode.
 *
 * Guarantees: with a gauge, the kernel is entered only if a fifth of the heap's limit was free when
 * it was last looked at, which is the more often the less there is. Where that takes a collection,
 * live objects must leave a quarter, so that collections do not follow each other.
 * Not guaranteed: anything about a program that fills the rest between two looks. It does that in
 * user mode, where its Worker can be lost without harm to the others.
 */
import type { HeapGauge } from '../../platform.ts';

/** Shares of the limit: below it no collection is needed, and above it nothing may be entered. */
const USED_SHARE = 0.8;
const LIVE_SHARE = 0.75;
/** Entries between two looks, each of which takes 3 us. */
const ENTRIES_MAX = 1024;
const ENTRIES_MIN = 8;
/** What a program is expected to allocate from one entry to the next, at most. */
const BYTES_PER_ENTRY = 65536;

function inMib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

export class HeapReserve {
  readonly #gauge: HeapGauge | null;
  #entriesLeft = 1;

  /** `gauge` is null where the host does not tell: then every entry is allowed. */
  constructor(gauge: HeapGauge | null) {
    this.#gauge = gauge;
  }

  /** Counts an entry of the kernel; whether it is safe. */
  suffices(): boolean {
    return --this.#entriesLeft > 0 || this.#look();
  }

  /** Why a process is ended for which `suffices` returned false. */
  describe(): string {
    const used = inMib(this.#gauge?.oldBytes() ?? 0);
    const limit = inMib(this.#gauge?.limitBytes ?? 0);
    return `JavaScript heap exhausted: ${used} of ${limit} MiB are in use`;
  }

  #look(): boolean {
    const gauge = this.#gauge;
    this.#entriesLeft = ENTRIES_MAX;
    if (gauge === null) return true;
    const most = gauge.limitBytes * USED_SHARE;
    let used = gauge.usedBytes();
    // That includes young objects, which do not count.
    if (used > most) used = gauge.oldBytes();
    if (used > most) {
      gauge.collect();
      used = gauge.oldBytes();
      if (used > gauge.limitBytes * LIVE_SHARE) {
        this.#entriesLeft = 1;
        return false;
      }
    }
    const entries = Math.floor((most - used) / BYTES_PER_ENTRY);
    this.#entriesLeft = Math.min(ENTRIES_MAX, Math.max(ENTRIES_MIN, entries));
    return true;
  }
}
