/**
 * What an access checks besides its translation: that no shootdown is pending for its space. One
 * gate for each process; the MMU opens it while the process is live.
 */
import * as BOOT from '../../../shared/layout/boot.ts';

export class AccessGate {
  /** Word of the machine that every access compares: the space's TLB generation while live. */
  generationAt: number = BOOT.MAGIC;
  /** Generation that the TLB has applied; any other sends an access to the MMU. */
  generation: number = ~BOOT.MAGIC_NUMBER;

  /** From now on accesses may hit: the TLB has applied `generation` of the word at `at`. */
  open(at: number, generation: number): void {
    this.generationAt = at;
    this.generation = generation;
  }

  /** From now on every access misses: it compares a word that never changes with another value. */
  shut(): void {
    this.generationAt = BOOT.MAGIC;
    this.generation = ~BOOT.MAGIC_NUMBER;
  }
}
