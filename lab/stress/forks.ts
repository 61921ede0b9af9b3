/**
 * Forks of a stressed thread, while its siblings go on changing and storing to the arena. Each
 * child checks its copy against what the thread knew of every page at the fork: forked-child.ts.
 */
import { ENOMEM, EAGAIN } from '../../shared/abi/errno.ts';
import { SyscallError } from '../../workers/program.ts';
import { ForkKnowledge } from './fork-knowledge.ts';
import { Violation } from './judge.ts';
import type { ThreadContext } from './stress-task.ts';

/** One round in this many forks. */
const FORK_EVERY = 32;

export class Forks {
  readonly #context: ThreadContext;
  readonly #children: number[] = [];

  constructor(context: ThreadContext) {
    this.#context = context;
  }

  /** Sometimes a fork, and the end of the oldest child when there are enough. Throws Violation. */
  async round(): Promise<void> {
    const { random, task } = this.#context;
    if (task.forks === 0 || random(FORK_EVERY) > 0) return;
    if (this.#children.length === task.forks) await this.#reap();
    await this.#fork();
  }

  /** Waits for all children. Throws Violation. */
  async end(): Promise<void> {
    while (this.#children.length > 0) await this.#reap();
  }

  async #fork(): Promise<void> {
    const { proc, oracle, task, thread, random } = this.#context;
    const known = ForkKnowledge.before(this.#context);
    const order = { task, thread, seed: random(2 ** 30), pages: known.pages, after: known.after };
    try {
      this.#children.push(await proc.fork('forked', order));
      oracle.count(thread, 'forks');
      known.publish(oracle);
    } catch (error) {
      const errno = error instanceof SyscallError ? error.errno : 0;
      if (errno !== ENOMEM && errno !== EAGAIN) throw error;
      oracle.count(thread, 'refused');
    }
  }

  async #reap(): Promise<void> {
    const { status } = await this.#context.proc.wait(this.#children.shift());
    // A child that exits with 1 has said why.
    if (status.code !== undefined && status.code <= 1) return;
    throw new Violation(`a forked child ended: ${JSON.stringify(status)}`);
  }
}
