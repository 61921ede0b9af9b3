/**
 * When memory counts as exhausted. Progress decides, not time: on a busy host many milliseconds may
 * pass in which no program ran, and many passes may be made in a few.
 *
 * The hand's way is counted in rounds: a pass that chose a tenth of the resident pages adds 0.1, a
 * pass that found nothing to choose has seen all there was and adds 1. A frame that becomes free
 * ends the count. From the second round on, a fault's passes ignore the policy and take every page
 * in turn, used or not (forced): so a page that can go has been tried, and memory is exhausted only
 * when RECLAIM_ROUNDS_MAX rounds have freed nothing.
 *
 * A pass that wrote pages to the store is on its way to a frame, even if a program took each of
 * them back at once, or other processes hold them too: such a pass counts for next to nothing, so
 * that while swap has room for a page that may go, memory is not exhausted.
 */
import { RECLAIM_ROUNDS_MAX } from '../../../shared/limits.ts';

/** Rounds in which every page was written, and taken back meanwhile, that count as one of those. */
const RECLAIM_RESCUED_ROUNDS = 100;

export class ReclaimRounds {
  #rounds = 0;
  /** `#rounds` when a frame was freed last. */
  #freedAt = 0;

  /** The rounds so far. */
  get now(): number {
    return this.#rounds;
  }

  /** A pass has tried `chosen` of `resident` pages, and freed none; `wrote`: but wrote some. */
  passed(chosen: number, resident: number, wrote: boolean): void {
    const share = chosen === 0 ? 1 : Math.min(1, chosen / resident);
    this.#rounds += wrote ? share / RECLAIM_RESCUED_ROUNDS : share;
  }

  /** A frame has become free, or a process will free some. */
  freed(): void {
    this.#freedAt = this.#rounds;
  }

  /** Rounds that have freed nothing, of those since `begun` (a value of `now`). */
  since(begun: number): number {
    return this.#rounds - Math.max(begun, this.#freedAt);
  }

  /** Whether a pass must take pages whatever the policy says. */
  isForced(begun: number): boolean {
    return this.since(begun) >= 1;
  }

  isExhausted(begun: number): boolean {
    return this.since(begun) >= RECLAIM_ROUNDS_MAX;
  }
}
