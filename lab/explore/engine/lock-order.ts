/**
 * The lock order as an oracle: a lock is recognised by the function that took it, its rank by what
 * the word is.
 *
 *     areas 1 → tables 2 → records, objects, descriptors 3 → slabs, processes, swap, futexes 4
 *     → buddy 5
 */
import * as BOOT from '../../../shared/layout/boot.ts';
import * as FRAME from '../../../shared/layout/frame.ts';
import * as SLAB from '../../../shared/layout/slabs.ts';
import { TABLE_SHIFT } from '../../../shared/limits.ts';
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import type { Execution } from './execution.ts';
import type { Subject } from './subject.ts';

const TAKERS = new Set(['lock', 'lockSlow', 'readLock', 'writeLock', 'tryReadLock']);
const DROPPERS = new Set(['unlock', 'readUnlock', 'writeUnlock']);

const RANK_NAMES = [
  '',
  'areas',
  'table',
  'records or objects',
  'slabs, processes, swap or futexes',
  'buddy',
];

const GLOBAL_RANKS: ReadonlyMap<number, number> = new Map([
  [BOOT.RECORD_LOCK, 3],
  [BOOT.SLAB_LOCK, 4],
  [BOOT.PROC_LOCK, 4],
  [BOOT.SWAP_LOCK, 4],
  [BOOT.BUDDY_LOCK, 5],
]);

export class LockOrder {
  readonly #execution: Execution;
  readonly #subject: Subject;
  /** By site: 1 takes a lock by compare-exchange, 2 drops one. */
  readonly roles: Uint8Array;
  /** Words of the locks held, by CPU. */
  readonly #held: number[][];

  constructor(execution: Execution, subject: Subject) {
    this.#execution = execution;
    this.#subject = subject;
    this.#held = execution.tasks.map(() => []);
    this.roles = Uint8Array.from(subject.model.sites, ({ caller, access, place }) => {
      if (!/\/(spinlock|rwlock)\.ts:/.test(place)) return 0;
      if (TAKERS.has(caller) && access === 'compareExchange') return 1;
      return DROPPERS.has(caller) && access !== 'notify' ? 2 : 0;
    });
  }

  begin(): void {
    for (const held of this.#held) if (held.length > 0) held.length = 0;
  }

  /** After an access from a site that has a role. */
  performed(task: Task, before: number): void {
    const role = this.roles[task.site];
    const held = this.#held[task.id] as number[];
    const { at } = task;
    if (role === 2) {
      const index = held.indexOf(at);
      if (index >= 0) held.splice(index, 1);
    } else if (task.kind === T.COMPARE_EXCHANGE && before === task.a) {
      // Marking a held lock as contended is an exchange too, but of a taken word.
      if (this.#execution.siteOf(task.site).caller === 'lockSlow' && before !== 0) return;
      this.#take(task.id, held, at);
    }
  }

  #take(cpu: number, held: number[], at: number): void {
    const rank = this.#rank(at);
    for (const other of held) {
      const above = this.#rank(other);
      if (above <= rank) continue;
      this.#execution.fail(
        'lock order',
        `CPU ${cpu} takes a lock of ${RANK_NAMES[rank]} under one of ${RANK_NAMES[above]}`,
      );
    }
    held.push(at);
  }

  #rank(at: number): number {
    const { machine } = this.#subject.world;
    const global = GLOBAL_RANKS.get(at);
    if (global !== undefined) return global;
    // Futex queues; then the tables' locks, in their frames' metadata; all others lie in blocks.
    if (at < machine.meta) return 4;
    if (at < machine.frameBase) return 2;
    const frame = (at - machine.frameBase) >> TABLE_SHIFT;
    const state = machine.words[machine.meta + frame * FRAME.WORDS + FRAME.STATE] as number;
    const slab = (state >> FRAME.ORDER_SHIFT) & 0xf;
    return slab === SLAB.SPACE || slab === SLAB.AREA ? 1 : 3;
  }
}
