/**
 * The lock order as an oracle: a lock is recognised by the function that took it, its rank by what
 * the word is.
 *
 *     areas 1 → tables 2 → records 3 → slabs 4 → processes 4 → buddy 5
 */
import * as L from '../../../shared/layout.ts';
import { TABLE_SHIFT } from '../../../shared/limits.ts';
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import type { Executor } from './executor.ts';

const TAKERS = new Set(['lock', 'lockSlow', 'readLock', 'writeLock', 'tryReadLock']);
const DROPPERS = new Set(['unlock', 'readUnlock', 'writeUnlock']);

const RANK_NAMES = ['', 'areas', 'table', 'records', 'slabs or processes', 'buddy'];

export class LockOrder {
  readonly #executor: Executor;
  /** By site: 1 takes a lock by compare-exchange, 2 drops one. */
  readonly #role: Uint8Array;
  /** Words of the locks held, by CPU. */
  readonly #held: number[][];

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#held = executor.tasks.map(() => []);
    this.#role = Uint8Array.from(executor.subject.model.sites, ({ caller, access, place }) => {
      if (!/\/(spinlock|rwlock)\.ts:/.test(place)) return 0;
      if (TAKERS.has(caller) && access === 'compareExchange') return 1;
      return DROPPERS.has(caller) && access !== 'notify' ? 2 : 0;
    });
  }

  begin(): void {
    for (const held of this.#held) if (held.length > 0) held.length = 0;
  }

  performed(task: Task, before: number): void {
    const role = this.#role[task.site];
    if (role === 0) return;
    const held = this.#held[task.id] as number[];
    const { at } = task;
    if (role === 2) {
      const index = held.indexOf(at);
      if (index >= 0) held.splice(index, 1);
    } else if (task.kind === T.COMPARE_EXCHANGE && before === task.a) {
      // Marking a held lock as contended is an exchange too, but of a taken word.
      if (this.#executor.siteOf(task.site).caller === 'lockSlow' && before !== 0) return;
      this.#take(task.id, held, at);
    }
  }

  #take(cpu: number, held: number[], at: number): void {
    const rank = this.#rank(at);
    for (const other of held) {
      const above = this.#rank(other);
      if (above <= rank) continue;
      this.#executor.fail(
        'lock order',
        `CPU ${cpu} takes a lock of ${RANK_NAMES[rank]} under one of ${RANK_NAMES[above]}`,
      );
    }
    held.push(at);
  }

  #rank(at: number): number {
    const { machine } = this.#executor.subject.world;
    if (at === L.B_BUDDY_LOCK) return 5;
    if (at === L.B_SLAB_LOCK || at === L.B_PROC_LOCK) return 4;
    if (at === L.B_RECORD_LOCK) return 3;
    if (at < machine.frameBase) return 2;
    return ((at - machine.frameBase) & ((1 << TABLE_SHIFT) - 1)) >= 0 ? 1 : 0;
  }
}
