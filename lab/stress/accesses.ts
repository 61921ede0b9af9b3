/** The accesses of one thread of a stressed process, each checked by the oracle. */
import { MemoryFault } from '../../workers/program.ts';
import {
  CONTENT_BYTES,
  IDENTITY,
  NUMBERS,
  OWN_PAGES,
  STAMPS,
  THREADS_MAX,
  addressOf,
} from './arena.ts';
import { Judge, check } from './judge.ts';
import type { Contents, Refusal } from './judge.ts';
import { UNKNOWN } from './oracle.ts';
import type { ThreadContext } from './stress-task.ts';

const ACCESSES_PER_ROUND = 6;
/** Once in so many rounds a thread stays with a page for a while, at most for so many accesses. */
const DWELL_EVERY = 6;
const DWELL_ACCESSES = 200;

export class Accesses {
  readonly #context: ThreadContext;
  readonly #judge: Judge;
  readonly #bytes = new Uint8Array(CONTENT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(context: ThreadContext) {
    const { oracle, thread, task } = context;
    this.#context = context;
    this.#judge = new Judge(oracle, thread, task.isLazy);
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
      seen = this.#context.random(4) === 0 ? this.#readBulk(address) : this.#readWords(address);
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

  #readWords(address: number): Contents {
    const { mem } = this.#context.proc;
    const words = (offset: number): number[] => {
      const read: number[] = [];
      for (let i = 0; i < THREADS_MAX; i++) read.push(mem.load32(address + offset + 4 * i));
      return read;
    };
    return { identity: mem.load32(address), stamps: words(STAMPS), numbers: words(NUMBERS) };
  }

  #readBulk(address: number): Contents {
    this.#context.proc.mem.readInto(address, this.#bytes);
    const words = (offset: number): number[] => {
      const read: number[] = [];
      for (let i = 0; i < THREADS_MAX; i++) read.push(this.#view.getInt32(offset + 4 * i, true));
      return read;
    };
    return { identity: words(IDENTITY)[0] ?? 0, stamps: words(STAMPS), numbers: words(NUMBERS) };
  }

  #identity(page: number): number {
    return this.#context.task.process * 4096 + page + 1;
  }
}

/** Runs an access; the code of its fault, or null. */
function attempt(access: () => void): Refusal {
  try {
    access();
    return null;
  } catch (error) {
    if (error instanceof MemoryFault) return error.code;
    throw error;
  }
}
