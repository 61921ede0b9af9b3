/**
 * The operations of one thread of a stressed process: seeded mmap, munmap and mprotect, counted by
 * the oracle. They take the three ways into the kernel in turn: local, by trap, by message.
 */
import { ENOMEM } from '../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../workers/program.ts';
import type { Proc } from '../../workers/program.ts';
import { OWN_PAGES, SHARED_PAGES, firstShared, pageRange, wholeSpan } from './arena.ts';
import type { Target } from './arena.ts';
import { check } from './judge.ts';
import { UNKNOWN, UNMAPPED, stateOf } from './oracle.ts';
import type { Ticket } from './oracle.ts';
import type { ThreadContext } from './stress-task.ts';

const RW: number = M.PROT_READ | M.PROT_WRITE;
const PROTECTIONS = [RW, RW, RW, RW, RW, M.PROT_READ, M.PROT_READ, M.PROT_NONE];

export class Operations {
  readonly #context: ThreadContext;

  constructor(context: ThreadContext) {
    this.#context = context;
  }

  /** One operation. Throws Violation. */
  async run(): Promise<void> {
    const { oracle, thread, random } = this.#context;
    const target = this.#chooseTarget();
    const prot = PROTECTIONS[random(PROTECTIONS.length)] ?? RW;
    // Of 8: mmap 5, munmap 1, mprotect 2; a span with holes in it is never protected as a whole.
    const kind = random(target.isSpan ? 6 : 8);
    const way = this.#chooseWay();
    const tickets: Ticket[] = [];
    for (let page = target.from; page < target.to; page++) tickets.push(oracle.begin(page));
    if (kind >= 6) return this.#mprotect(way, target, prot, tickets);
    const isMap = kind < 5;
    const { address, sizeBytes } = target;
    const type = random(8) === 0 ? M.MAP_SHARED : M.MAP_PRIVATE;
    const wasDone = isMap
      ? await this.#call('mmap', () => this.#mmap(way, target, prot, type))
      : await this.#call('munmap', () => way.munmap(address, sizeBytes));
    // All or nothing: a call that failed has left everything as it was.
    if (!wasDone) oracle.count(thread, 'refused');
    for (const ticket of tickets) {
      const after = isMap ? stateOf(ticket.number, prot, type === M.MAP_SHARED) : UNMAPPED;
      oracle.end(ticket, wasDone ? after : ticket.before);
    }
  }

  #chooseTarget(): Target {
    const random = this.#context.random;
    const { threads } = this.#context.task;
    const choice = random(20);
    if (choice === 0) return wholeSpan(threads);
    const isOwn = choice < 10;
    const pages = isOwn ? OWN_PAGES : SHARED_PAGES;
    const first = isOwn ? this.#context.thread * OWN_PAGES : firstShared(threads);
    const from = random(pages);
    const count = 1 + random(Math.min(4, pages - from));
    return pageRange(threads, first + from, first + from + count);
  }

  #chooseWay(): Proc | Proc['local'] {
    const choice = this.#context.random(16);
    const way = choice < 10 ? 'local' : choice < 14 ? 'sync' : 'async';
    this.#context.oracle.count(this.#context.thread, way);
    return way === 'async' ? this.#context.proc : this.#context.proc[way];
  }

  async #mmap(
    way: Proc | Proc['local'],
    target: Target,
    prot: number,
    type: number,
  ): Promise<void> {
    const { address, sizeBytes, isSpan } = target;
    const isFile = type === M.MAP_PRIVATE && !isSpan && this.#context.random(7) === 0;
    const flags = M.MAP_FIXED | type | (isFile ? 0 : M.MAP_ANONYMOUS);
    const fd = isFile ? this.#context.fd : -1;
    const offset = isFile ? (target.from % SHARED_PAGES) * PAGE_SIZE : 0;
    const at = await way.mmap(address, sizeBytes, prot, flags, fd, offset);
    if (at !== address) check(target.from, `mmap answered ${at} for ${address}`);
  }

  async #mprotect(
    way: Proc | Proc['local'],
    target: Target,
    prot: number,
    tickets: readonly Ticket[],
  ): Promise<void> {
    const { address, sizeBytes, from } = target;
    const wasDone = await this.#call('mprotect', () => way.mprotect(address, sizeBytes, prot));
    const isKnown = tickets.every(
      (one) => this.#context.oracle.wasSole(one) && one.before !== UNKNOWN,
    );
    const hasHole = tickets.some(({ before }) => before === UNMAPPED);
    if (isKnown && wasDone && hasHole) check(from, 'mprotect of an unmapped page succeeded');
    if (isKnown && !wasDone && !hasHole)
      this.#context.oracle.count(this.#context.thread, 'refused');
    for (const ticket of tickets) {
      const isMapped = wasDone && ticket.before > UNMAPPED;
      // On an error the pages before the hole have changed: mark them unknown.
      this.#context.oracle.end(ticket, isMapped ? (ticket.before & ~7) | prot : UNKNOWN);
    }
  }

  /** Whether the call succeeded; ENOMEM is the only error that it may give. */
  async #call(
    name: 'mmap' | 'munmap' | 'mprotect',
    start: () => number | Promise<number | void>,
  ): Promise<boolean> {
    this.#context.oracle.count(this.#context.thread, name);
    try {
      await start();
      return true;
    } catch (error) {
      if (!(error instanceof M.SyscallError) || error.errno !== ENOMEM) throw error;
      return false;
    }
  }
}
