/**
 * The lock order: every lock of the machine with its rank. A CPU that holds a lock takes only locks
 * of higher ranks, so that no two CPUs can wait for each other (docs/locking.md).
 *
 * Two locks of one rank exclude each other, except for those whose class says how they nest. A
 * word that is in none of these classes, such as a lock of a user's own protocol, has no rank.
 */
import { peek } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import { fieldName } from '../../shared/layout/block.ts';
import type { Block } from '../../shared/layout/block.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as DESCRIPTORS from '../../shared/layout/descriptors.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as FUTEX_QUEUE from '../../shared/layout/futex-queue.ts';
import { blockOfWord } from '../../shared/layout/names.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { assert } from '../../shared/panic.ts';
import type { WordIndex } from '../../shared/units.ts';
import { ROOT_LEVEL } from './cursor.ts';
import type { Machine } from './machine.ts';

/** How two locks of one class may be held together. */
export type Nesting = 'never' | 'ascending' | 'parent-then-child' | 'top-down';

export const NESTINGS: Readonly<Record<Nesting, string>> = {
  never: 'never',
  ascending: 'two, at a requeue: the one with the lower address first',
  'parent-then-child': "two spaces, at fork: the parent's, then the child's (ascending SPACE.ID)",
  'top-down': "below the first one held, in pre-order; at fork the child's root after the parent's",
};

/** All locks that are the same field of the same kind of block. */
export interface LockClass {
  /** The field, as the layout names it: 'OBJECT.LOCK'. */
  readonly name: string;
  readonly block: Block;
  /** The lock's word, from the block's first. */
  readonly at: number;
  readonly rank: number;
  readonly protects: string;
  readonly nesting: Nesting;
}

/** In ascending rank: the outermost first. */
export const LOCK_CLASSES: readonly LockClass[] = [
  {
    name: 'SPACE.AREA_LOCK',
    block: SPACE.LAYOUT,
    at: SPACE.AREA_LOCK,
    rank: 1,
    protects: 'the area set; under `global` the page table too',
    nesting: 'parent-then-child',
  },
  {
    name: 'SPACE.RW_LOCK',
    block: SPACE.LAYOUT,
    at: SPACE.RW_LOCK,
    rank: 2,
    protects: 'the area set and the page table, under `rwlock` and `vma`',
    nesting: 'parent-then-child',
  },
  {
    name: 'AREA.LOCK',
    block: AREA.LAYOUT,
    at: AREA.LOCK,
    rank: 3,
    protects: "an area's entries of the page table, under `vma`",
    nesting: 'never',
  },
  {
    name: 'FRAME.AUX',
    block: FRAME.LAYOUT,
    at: FRAME.AUX,
    rank: 4,
    protects: 'a page table (under `path` with all below it), under `path` and `rcu`',
    nesting: 'top-down',
  },
  {
    name: 'BOOT.RECORD_LOCK',
    block: BOOT.LAYOUT,
    at: BOOT.RECORD_LOCK,
    rank: 5,
    protects: "mapping records, their free list and objects' lists of them",
    nesting: 'never',
  },
  {
    name: 'BOOT.NAME_LOCK',
    block: BOOT.LAYOUT,
    at: BOOT.NAME_LOCK,
    rank: 5,
    protects: 'names of anonymous memory and their table',
    nesting: 'never',
  },
  {
    name: 'OBJECT.LOCK',
    block: OBJECT.LAYOUT,
    at: OBJECT.LOCK,
    rank: 5,
    protects: "an object's size and page index",
    nesting: 'never',
  },
  {
    name: 'DESCRIPTORS.LOCK',
    block: DESCRIPTORS.LAYOUT,
    at: DESCRIPTORS.LOCK,
    rank: 5,
    protects: 'descriptors',
    nesting: 'never',
  },
  {
    name: 'FUTEX_QUEUE.LOCK',
    block: FUTEX_QUEUE.LAYOUT,
    at: FUTEX_QUEUE.LOCK,
    rank: 6,
    protects: 'a queue of futex waiters',
    nesting: 'ascending',
  },
  {
    name: 'BOOT.PROC_LOCK',
    block: BOOT.LAYOUT,
    at: BOOT.PROC_LOCK,
    rank: 6,
    protects: 'the pid table',
    nesting: 'never',
  },
  {
    name: 'BOOT.SLAB_LOCK',
    block: BOOT.LAYOUT,
    at: BOOT.SLAB_LOCK,
    rank: 6,
    protects: 'the slabs and their lists of frames with free blocks',
    nesting: 'never',
  },
  {
    name: 'BOOT.SWAP_LOCK',
    block: BOOT.LAYOUT,
    at: BOOT.SWAP_LOCK,
    rank: 6,
    protects: 'the swap map',
    nesting: 'never',
  },
  {
    name: 'BOOT.BUDDY_LOCK',
    block: BOOT.LAYOUT,
    at: BOOT.BUDDY_LOCK,
    rank: 7,
    protects: 'the free lists of the buddy allocator',
    nesting: 'never',
  },
];

/** The class of the lock at word `at`, according to the machine's metadata; null for any other. */
export function lockClassAt(machine: Machine, at: WordIndex): LockClass | null {
  const place = blockOfWord(machine, at);
  if (place === null) return null;
  for (const lock of LOCK_CLASSES) {
    if (lock.block === place.block && place.first + lock.at === at) return lock;
  }
  return null;
}

/** Whether the lock at `at` may be taken while the one at `outer`, of the same class, is held. */
export function mayNest(
  machine: Machine,
  lock: LockClass,
  outer: WordIndex,
  at: WordIndex,
): boolean {
  const { words } = machine;
  switch (lock.nesting) {
    case 'never':
      return false;
    case 'ascending':
      return at > outer;
    case 'parent-then-child': {
      const [parent, child] = [outer - lock.at, at - lock.at];
      return ((peek(words, child + SPACE.ID) - peek(words, parent + SPACE.ID)) | 0) > 0;
    }
    case 'top-down': {
      const [first, level] = [levelOf(machine, outer - lock.at), levelOf(machine, at - lock.at)];
      return level < first || (level === ROOT_LEVEL && first === ROOT_LEVEL);
    }
  }
}

/** The level of the table whose frame metadata begin at word `meta`. */
function levelOf({ words }: Machine, meta: WordIndex): number {
  return (peek(words, meta + FRAME.STATE) >> FRAME.LEVEL_SHIFT) & 3;
}

for (const [index, { name, block, at, rank }] of LOCK_CLASSES.entries()) {
  const before = LOCK_CLASSES[index - 1]?.rank ?? 0;
  assert(name.endsWith(`.${fieldName(block, at)}`), `lock order: ${name} is another field`, at);
  assert(rank === before || rank === before + 1, `lock order: ${name} out of order`, rank);
}
