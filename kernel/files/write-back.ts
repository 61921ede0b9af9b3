/**
 * Host files that the machine may write: which pages differ from the host's. The kernel worker
 * writes them; this says which ones, and never loses one.
 *
 *     a store sets D in an entry → cleanObject (or the end of the mapping) marks the frame dirty
 *     → takeDirty takes the mark away and hands the page out → the host writes it
 *
 * Guarantees: a store that returned before `cleanObject` is in the pages taken afterwards; one that
 * comes later sets D again, because `cleanObject` flushes. A page whose writing failed is marked
 * again by the caller.
 * Locking: as mappings.ts for cleanObject; OBJECT.LOCK for the rest. On the kernel worker.
 */
import { and, load, peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import type { ObjectBlock, ObjectPage, Pfn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { getFrame } from '../frames/frames.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { frameField } from '../machine/machine.ts';
import { kindOf } from '../objects/kinds.ts';
import { getObject } from '../objects/object.ts';
import { indexLookup, indexNext } from '../objects/page-index.ts';
import { CLEAN } from '../paging/object-range.ts';
import { changeMappings } from './mappings.ts';

/**
 * Whether written pages of the object must go to the host: only for a host file that may be
 * written. Other objects have no copy outside that could be out of date.
 */
export function isWrittenBack(cpu: Cpu, object: ObjectBlock): boolean {
  return (
    kindOf(cpu.machine, object).isWrittenBack && peek(cpu.words, object + OBJECT.WRITABLE) !== 0
  );
}

/**
 * msync(MS_SYNC): queues the pages [firstPage, endPage) of an object for write-back after the
 * syscall, whatever it returns. The list in the CPU's scratch keeps a reference to the object.
 */
export function requestWriteBack(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): void {
  if (!isWrittenBack(cpu, object)) return;
  getObject(cpu, object);
  cpu.writeBacks.push({ object, firstPage, endPage });
}

/** Moves the dirty state of [firstPage, endPage) from the mappings' entries to the frames. */
export function cleanObject(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): void {
  changeMappings(cpu, object, firstPage, endPage, CLEAN);
}

/** A page of an object that the host does not have yet. */
export interface DirtyPage {
  /** Its number in the object. */
  readonly page: ObjectPage;
  /** Its frame, with a reference for the caller. */
  readonly pfn: Pfn;
}

/**
 * The first dirty page in [firstPage, endPage), which counts as clean from now on; null for none.
 */
export function takeDirty(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): DirtyPage | null {
  const { machine, words } = cpu;
  let taken: DirtyPage | null = null;
  lock(cpu, object + OBJECT.LOCK);
  const stopPage = Math.min(endPage, peek(words, object + OBJECT.PAGES));
  let page = indexNext(cpu, object, firstPage, stopPage);
  while (page >= 0 && taken === null) {
    const pfn = indexLookup(cpu, object, page);
    const state = frameField(machine, pfn, FRAME.STATE);
    // ORDER: before the page is copied: what is written later marks it again.
    if ((load(words, state) & FRAME.DIRTY) !== 0) {
      and(words, state, ~FRAME.DIRTY);
      getFrame(cpu, pfn);
      taken = { page, pfn };
    } else {
      page = indexNext(cpu, object, page + 1, stopPage);
    }
  }
  unlock(cpu, object + OBJECT.LOCK);
  return taken;
}

/** The host's part begins. Returns how much of the host's file still matches the object. */
export function beginWriteBack(cpu: Cpu, object: ObjectBlock): number {
  const { machine } = cpu;
  lock(cpu, object + OBJECT.LOCK);
  const supplied = loadWide(machine, object + OBJECT.SUPPLIED);
  storeWide(machine, object + OBJECT.WRITTEN, loadWide(machine, object + OBJECT.SIZE));
  unlock(cpu, object + OBJECT.LOCK);
  return supplied;
}

/** The host's file is now as long as the object; it supplies pages that no later cut removed. */
export function endWriteBack(cpu: Cpu, object: ObjectBlock): void {
  const { machine } = cpu;
  lock(cpu, object + OBJECT.LOCK);
  const written = loadWide(machine, object + OBJECT.WRITTEN);
  if (written > loadWide(machine, object + OBJECT.SUPPLIED)) {
    storeWide(machine, object + OBJECT.SUPPLIED, written);
  }
  unlock(cpu, object + OBJECT.LOCK);
}
