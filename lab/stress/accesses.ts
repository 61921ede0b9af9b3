/** The accesses of one thread of a stressed process, each checked by the oracle. */
import { IDENTITY, NUMBERS, OWN_PAGES, STAMPS, addressOf } from './arena.ts';
import { attempt, identityOf, readBulk, readWords } from './contents.ts';
import type { Contents, Refusal } from './contents.ts';
import { check } from './judge.ts';
import type { Judge } from './judge.ts';
import { UNKNOWN } from './oracle.ts';
import type { ThreadContext } from './stress-task.ts';

const ACCESSES_PER_ROUND = 6;
/** Once in this many rounds a thread stays with a page for a while; and the most accesses then. */
const DWELL_EVERY = 6;
const DWELL_ACCESSES = 200;

export class Accesses {
  readonly #context: ThreadContext;
  readonly #judge: Judge;

  constructor(context: ThreadContext) {
    this.#context = context;
    this.#judge = context.judge;
  }

  /** A few accesses. Throws Violation. */
  round(): void {
    if (this.#context.random(DWELL_EVERY) === 0) this.#dwell();
    for (let i = 0; i < ACCESSES_PER_ROUND; i++) this.#access(this.#choosePage());
  }

  #choosePage(): number {
    const random = this.#context.random;
    if (random(3) > 0) return random(this.#context.oracle.pages);
    return this.#context.thread * OWN_PAGES + random(OWN_PAGES);
  }

  /** Uses one page until it is changed: its translation is in the TLB when that happens. */
  #dwell(): void {
    const page = this.#choosePage();
    const begun = this.#context.oracle.begun(page);
    for (let i = this.#context.random(DWELL_ACCESSES); i > 0; i--) {
      this.#access(page);
      if (this.#context.oracle.begun(page) !== begun && this.#context.random(8) === 0) return;
    }
  }

  #access(page: number): void {
    if (this.#context.random(2) === 0) this.#read(page);
    else this.#write(page);
  }

  #read(page: number): void {
    const oracle = this.#context.oracle;
    const address = addressOf(this.#context.task.threads, page);
    const begun = oracle.begun(page);
    const state = oracle.state(page, begun);
    let seen: Contents | null = null;
    const refusal = attempt(() => {
      const read = this.#context.random(4) === 0 ? readBulk : readWords;
      seen = read(this.#context.proc.mem, address);
    });
    oracle.count(this.#context.thread, 'reads');
    const contents = seen as Contents | null;
    if (contents !== null) {
      check(page, this.#judge.identity(this.#identity(page), contents.identity));
    }
    const complaint =
      contents === null || state === UNKNOWN
        ? null
        : this.#judge.contents(page, begun, state, contents);
    if (this.#isJudged(page, begun, state, false, refusal)) check(page, complaint);
  }

  /** Stamps the page. The stamp is the first to arrive, so that a part is never without it. */
  #write(page: number): void {
    const oracle = this.#context.oracle;
    const thread = this.#context.thread;
    const address = addressOf(this.#context.task.threads, page);
    const begun = oracle.begun(page);
    const state = oracle.state(page, begun);
    const number = 1 + this.#context.random(2 ** 30);
    let arrived = false;
    oracle.beginStore(page, thread, begun);
    const refusal = attempt(() => {
      this.#context.proc.mem.store32(address + STAMPS + 4 * thread, begun);
      arrived = true;
      this.#context.proc.mem.store32(address + NUMBERS + 4 * thread, number);
      this.#context.proc.mem.store32(address + IDENTITY, this.#identity(page));
    });
    const isClean = oracle.endStore(page, thread, begun, arrived);
    oracle.count(thread, 'writes');
    // In an unknown state an operation may still be about to take the page away.
    const isLasting = isClean && refusal === null && state !== UNKNOWN;
    if (isLasting) this.#judge.remember(page, begun, number);
    this.#isJudged(page, begun, state, true, refusal);
  }

  /** Judges an access's outcome if no operation overlapped it; whether it did. */
  #isJudged(
    page: number,
    begun: number,
    state: number,
    isWrite: boolean,
    refusal: Refusal,
  ): boolean {
    const oracle = this.#context.oracle;
    if (state === UNKNOWN || oracle.begun(page) !== begun) {
      if (refusal !== null) oracle.count(this.#context.thread, 'faultsUnjudged');
      return false;
    }
    check(page, this.#judge.outcome(state, isWrite, refusal));
    oracle.count(this.#context.thread, 'judged');
    if (refusal !== null) oracle.count(this.#context.thread, 'faultsExpected');
    return true;
  }

  #identity(page: number): number {
    return identityOf(this.#context.task.process, page);
  }
}
