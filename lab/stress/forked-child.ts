/**
 * A forked child of a stressed thread: checks its copy of the arena.
 *
 * - A page of known state is accessible exactly as it was for the parent.
 * - It holds what the parent's mapping held: no stamp of another mapping, and the number that the
 *   forking thread stored last.
 * - Then it is the child's own: what the parent's threads store does not show, and what the child
 *   stores stays, also across swap. The child's identity word is the parent's negated, so that a
 *   store that reaches the parent is found there.
 */
import { PROT_WRITE } from '../../shared/abi/mman.ts';
import { makeRandom } from '../../shared/random.ts';
import type { Proc } from '../../workers/program.ts';
import { IDENTITY, NUMBERS, THREADS_MAX, addressOf } from './arena.ts';
import { attempt, identityOf, readBulk, readWords } from './contents.ts';
import type { Contents } from './contents.ts';
import { ForkKnowledge } from './fork-knowledge.ts';
import type { ForkOrder, PageKnowledge } from './fork-knowledge.ts';
import { Judge, check } from './judge.ts';
import { Oracle, UNKNOWN, UNMAPPED, generationOf, isSharedState, protOf } from './oracle.ts';

const ROUNDS = 3;
const SLEEP_MS_MAX = 20;

export class ForkedChild {
  readonly #proc: Proc;
  readonly #order: ForkOrder;
  readonly #oracle: Oracle;
  readonly #judge: Judge;
  readonly #knowledge: ForkKnowledge;
  readonly #random: (bound: number) => number;
  /** What each private page held when the child last looked or stored. */
  readonly #held = new Map<number, string>();

  constructor(proc: Proc, order: ForkOrder) {
    const { task, thread, seed, pages, after } = order;
    this.#proc = proc;
    this.#order = order;
    this.#oracle = new Oracle(task.oracle, task.threads);
    // A new space: no translation of the parent's is in use, whatever the flush policy.
    this.#judge = new Judge(this.#oracle, thread, false);
    this.#knowledge = new ForkKnowledge(pages, after);
    this.#random = makeRandom(seed);
  }

  /** Throws Violation. */
  async run(): Promise<void> {
    while (!this.#knowledge.isReady()) {
      // The thread that was to report it may have been killed.
      if (this.#oracle.isStopped()) return;
      await this.#proc.nanosleep(1e6);
    }
    for (let round = 0; round < ROUNDS; round++) {
      this.#order.pages.forEach((known, page) => this.#visit(page, known));
      await this.#proc.nanosleep(this.#random(SLEEP_MS_MAX) * 1e6);
    }
  }

  #visit(page: number, known: PageKnowledge): void {
    const { task, thread } = this.#order;
    if (known.state === UNKNOWN || !this.#knowledge.holds(page)) return;
    const seen = this.#read(page, known.state);
    this.#oracle.count(thread, 'forkedPages');
    if (seen === null || isSharedState(known.state)) return;
    const held = this.#held.get(page);
    if (held === undefined) this.#checkCopy(page, known, seen);
    else if (held !== JSON.stringify(seen)) {
      check(page, `in a forked child, held ${held}, now ${JSON.stringify(seen)}`);
    }
    this.#held.set(page, JSON.stringify(seen));
    if (this.#random(2) === 0) return;
    const address = addressOf(task.threads, page);
    const number = this.#random(2 ** 30);
    const identity = -identityOf(task.process, page);
    const refusal = attempt(() => {
      this.#proc.mem.store32(address + NUMBERS + 4 * thread, number);
      this.#proc.mem.store32(address + IDENTITY, identity);
    });
    check(page, this.#outcome(known.state, true, refusal));
    if ((protOf(known.state) & PROT_WRITE) === 0) return;
    const numbers = seen.numbers.with(thread, number);
    this.#held.set(page, JSON.stringify({ ...seen, identity, numbers }));
  }

  /** Null when the page must not be read, and cannot be. */
  #read(page: number, state: number): Contents | null {
    const { task } = this.#order;
    const address = addressOf(task.threads, page);
    const read = this.#random(4) === 0 ? readBulk : readWords;
    let seen: Contents | null = null;
    const refusal = attempt(() => {
      seen = read(this.#proc.mem, address);
    });
    check(page, this.#outcome(state, false, refusal));
    return seen;
  }

  #outcome(state: number, isWrite: boolean, refusal: ReturnType<typeof attempt>): string | null {
    const complaint = this.#judge.outcome(state, isWrite, refusal);
    return complaint === null ? null : `in a forked child, ${complaint}`;
  }

  /** The first look at a private page: it holds what the parent's held at the fork. */
  #checkCopy(page: number, known: PageKnowledge, seen: Contents): void {
    const { task, thread } = this.#order;
    if (known.state === UNMAPPED) return;
    check(page, this.#judge.identity(identityOf(task.process, page), seen.identity));
    const generation = generationOf(known.state);
    for (let at = 0; at < THREADS_MAX; at++) {
      const stamp = seen.stamps[at] ?? 0;
      if (stamp === 0 || (stamp >= generation && stamp <= known.begun)) continue;
      if (known.excused[at]?.includes(stamp) === true) continue;
      check(page, `in a forked child, stamp ${stamp} of thread ${at} in generation ${generation}`);
    }
    const found = seen.numbers[thread];
    if (known.own === null || known.own === found) return;
    check(page, `in a forked child, found ${found} for the forking thread's ${known.own}`);
  }
}
