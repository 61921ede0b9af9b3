/**
 * The rules by which one thread's accesses are judged: what the oracle says of a page, and what the
 * thread remembers of its own stores and reads.
 *
 * - A page whose state allows the access must be accessible; any other must fault, with the code
 *   that Linux gives.
 * - Whatever is read is of this process and page, or zero.
 * - Every stamp belongs to the mapping that is there: memory is zero on first touch, and no store
 *   goes through a translation that an operation removed.
 * - What this thread stored is there until the next operation.
 * - A page that may only be read does not change.
 */
import { PROT_READ, PROT_WRITE } from '../../shared/abi/mman.ts';
import { THREADS_MAX } from './arena.ts';
import type { Contents, Refusal } from './contents.ts';
import { UNKNOWN, UNMAPPED, generationOf, protOf } from './oracle.ts';
import type { Oracle } from './oracle.ts';

/** A disagreement between machine and oracle. */
export class Violation extends Error {
  override readonly name: string = 'Violation';
}

/** Throws Violation if there is a complaint. */
export function check(page: number, complaint: string | null): void {
  if (complaint !== null) throw new Violation(`page ${page}: ${complaint}`);
}

export class Judge {
  readonly #oracle: Oracle;
  readonly #thread: number;
  /** Whether unmapped pages may be used until each CPU has swept: flush policy `lazy`. */
  readonly #isLazy: boolean;
  /** The number that this thread stored last in a page, and `begun` of that moment. */
  readonly #own = new Map<number, { begun: number; number: number }>();
  /** What this thread read last in a page that may only be read. */
  readonly #frozen = new Map<number, { begun: number; numbers: string }>();

  constructor(oracle: Oracle, thread: number, isLazy: boolean) {
    this.#oracle = oracle;
    this.#thread = thread;
    this.#isLazy = isLazy;
  }

  /** Whether an access must come out like this in `state`; a complaint if it must not. */
  outcome(state: number, isWrite: boolean, refusal: Refusal): string | null {
    if (state === UNMAPPED) {
      if (refusal === 'SEGV_MAPERR' || (refusal === null && this.#isLazy)) return null;
      return `unmapped, yet ${describe(isWrite, refusal)}`;
    }
    const prot = protOf(state);
    // As in Linux on x86-64, what may be written may be read.
    const needed = isWrite ? PROT_WRITE : PROT_READ | PROT_WRITE;
    const expected = (prot & needed) === 0 ? 'SEGV_ACCERR' : null;
    if (refusal === expected) return null;
    return `protection ${prot}, yet ${describe(isWrite, refusal)}`;
  }

  /** What every successful read must show, judged or not. */
  identity(expected: number, found: number): string | null {
    return found === 0 || found === expected ? null : `contents of another page: ${found}`;
  }

  /** The contents of a page that stood in `state` with `begun` operations begun. */
  contents(page: number, begun: number, state: number, seen: Contents): string | null {
    if (state === UNKNOWN || state === UNMAPPED) return null;
    const generation = generationOf(state);
    for (let thread = 0; thread < THREADS_MAX; thread++) {
      const stamp = seen.stamps[thread] ?? 0;
      if (stamp === 0 || (stamp >= generation && stamp <= begun)) continue;
      if (this.#oracle.isExcused(page, thread, stamp)) continue;
      return `stamp ${stamp} of thread ${thread} in a mapping of generation ${generation}`;
    }
    return this.#ownStore(page, begun, seen) ?? this.#unchanged(page, begun, state, seen);
  }

  /** This thread stored `number` while `begun` stood still. */
  remember(page: number, begun: number, number: number): void {
    this.#own.set(page, { begun, number });
  }

  /** What this thread stored last in a page while `begun` stood still; null when nothing. */
  ownNumber(page: number, begun: number): number | null {
    const own = this.#own.get(page);
    return own?.begun === begun ? own.number : null;
  }

  #ownStore(page: number, begun: number, seen: Contents): string | null {
    const own = this.ownNumber(page, begun);
    const found = seen.numbers[this.#thread];
    return own === null || own === found ? null : `lost the store of ${own}, found ${found}`;
  }

  #unchanged(page: number, begun: number, state: number, seen: Contents): string | null {
    if ((protOf(state) & PROT_WRITE) !== 0) return null;
    const numbers = seen.numbers.join();
    const before = this.#frozen.get(page);
    this.#frozen.set(page, { begun, numbers });
    if (before === undefined || before.begun !== begun || before.numbers === numbers) return null;
    return `changed though it may only be read: ${before.numbers} to ${numbers}`;
  }
}

function describe(isWrite: boolean, refusal: Refusal): string {
  const access = isWrite ? 'a store' : 'a load';
  return refusal === null ? `${access} succeeded` : `${access} faulted with ${refusal}`;
}
