/**
 * What an access checks besides its translation: that no shootdown is pending for its space. One
 * gate for each process; the MMU opens it while the process is live.
 */
import { B_MAGIC, MAGIC } from '../../../shared/layout/regions.ts';

export class AccessGate {
  /** Word of the machine that every access compares: the space's TLB generation while live. */
  generationAt: number = B_MAGIC;
  /** Generation that the TLB has applied; any other sends an access to the MMU. */
  generation: number = ~MAGIC;

  /** From now on accesses may hit: the TLB has applied `generation` of the word at `at`. */
  open(at: number, generation: number): void {
    this.generationAt = at;
    this.generation = generation;
  }

  /** From now on every access misses: it compares a word that never changes with another value. */
  shut(): void {
    this.generationAt = B_MAGIC;
    this.generation = ~MAGIC;
  }
}
