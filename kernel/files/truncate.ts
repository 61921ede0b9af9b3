/**
 * Objects that get shorter, longer, or a hole.
 *
 * Protocol of a cut
 *  1. Set the new size and take the pages beyond it out of the index: no fault finds them any more.
 *  2. In each space, under the areas' and the range's lock, the entries beyond become untouched
 *     again. A fault that found a page before step 1 holds its page's lock until the entry is made,
 *     and so comes before step 2.
 *  3. Flush, and only then free the frames, as every operation on a range does.
 * Guarantees: after the call an access beyond the end is SIGBUS, also to a private copy, as in
 * Linux; the rest of the last page, beyond the end, is zero.
 * Locking: none may be held. On the kernel worker (mappings.ts).
 */
import { peek } from '../../shared/atomics.ts';
import { EOPNOTSUPP, EPERM } from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { RANGE_BATCH_PAGES } from '../../shared/limits.ts';
import { pagesOf } from '../../shared/units.ts';
import type { ObjectBlock, ObjectPage } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { kindOf } from '../objects/kinds.ts';
import { indexNext } from '../objects/page-index.ts';
import {
  cutObject,
  dropPages,
  extendObject,
  objectSize,
  supplyAll,
  zeroFrom,
} from '../objects/pages.ts';
import { WRITE_SEALS, objectSeals } from '../objects/seals.ts';
import { ZAP_ALL, ZAP_OBJECT } from '../paging/object-range.ts';
import { changeMappings } from './mappings.ts';

/** Gives an object another size in bytes, 0 to FILE_BYTES_MAX. */
export function resizeObject(cpu: Cpu, object: ObjectBlock, size: number): void {
  assertNoLockHeld(cpu);
  if (size > objectSize(cpu, object)) {
    zeroGap(cpu, object);
    extendObject(cpu, object, size);
    return;
  }
  const pages = cutObject(cpu, object, size);
  changeMappings(cpu, object, pagesOf(size), pages, ZAP_ALL);
}

/**
 * From which page on, not below `firstPage`, the object's end can be cut off in one step: few pages
 * lie beyond that.
 */
export function cutStep(cpu: Cpu, object: ObjectBlock, firstPage: ObjectPage): ObjectPage {
  lock(cpu, object + OBJECT.LOCK);
  let from = peek(cpu.words, object + OBJECT.PAGES);
  for (let step = RANGE_BATCH_PAGES; from > firstPage; step *= 2) {
    const next = Math.max(firstPage, from - step);
    // A batch, and the holes below it.
    if (step > RANGE_BATCH_PAGES && indexNext(cpu, object, next, from) >= 0) break;
    from = next;
  }
  unlock(cpu, object + OBJECT.LOCK);
  return Math.max(from, firstPage);
}

/**
 * The file behind an object is not what it was: the object gets its size, and its pages are read
 * again. Private copies below the new end stay.
 */
export function changedObject(cpu: Cpu, object: ObjectBlock, size: number): void {
  resizeObject(cpu, object, size);
  supplyAll(cpu, object);
  dropPages(cpu, object, 0, pagesOf(size));
  changeMappings(cpu, object, 0, pagesOf(size), ZAP_OBJECT);
}

/**
 * Before an object grows: what a mapping wrote in the last page beyond the end must not become
 * visible. Linux's disk file systems see to that; tmpfs, which the machine's own files follow, does
 * not (6.18).
 */
export function zeroGap(cpu: Cpu, object: ObjectBlock): void {
  if (kindOf(cpu.machine, object).keepsBeyondEnd) return;
  zeroFrom(cpu, object, objectSize(cpu, object));
}

/**
 * MADV_REMOVE and its like: the pages [firstPage, endPage) of an object read as zero from now on,
 * and their frames are freed. Private copies stay. 0, -EOPNOTSUPP for a kind of object that cannot
 * have holes, or -EPERM for what is sealed against writing. The caller holds a reference to the
 * object and no lock, not even the areas' lock of its own space.
 */
export function punchHole(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): number {
  assertNoLockHeld(cpu);
  if (!kindOf(cpu.machine, object).hasHoles) return -EOPNOTSUPP;
  if ((objectSeals(cpu, object) & WRITE_SEALS) !== 0) return -EPERM;
  dropPages(cpu, object, firstPage, endPage);
  changeMappings(cpu, object, firstPage, endPage, ZAP_OBJECT);
  return 0;
}
