/**
 * Freeing pages of the page cache: clean ones that no entry maps and that the host can supply
 * again.
 *
 * Locking: the object's lock, for at most `most` pages. A later fault on
 * such a page is supplied anew.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { fullPagesOf } from '../../shared/units.ts';
import type { ObjectBlock, ObjectPage, Pfn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { loadWide } from '../frames/wide.ts';
import { frameField } from '../machine/machine.ts';
import { kindOf } from '../objects/kinds.ts';
import { indexLookup, indexNext, indexRemove } from '../objects/page-index.ts';

/** What evictObjectPages did. */
export interface EvictedCache {
  /** Pages that are no longer in memory. */
  readonly freed: number;
  /** Pages that came in later than that, and could go otherwise. */
  readonly young: number;
  /** The page to go on from; 0 when the end was reached. */
  readonly nextPage: ObjectPage;
}

/**
 * Frees up to `most` pages of an object from page `firstPage` on that came into memory before
 * `beforeMs` (BOOT.JIFFIES). Kernel mode.
 */
export function evictObjectPages(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  most: number,
  beforeMs: number,
): EvictedCache {
  const { machine, words } = cpu;
  if (!kindOf(machine, object).isEvictable) return { freed: 0, young: 0, nextPage: 0 };
  let freed = 0;
  let young = 0;
  let page = firstPage;
  lock(cpu, object + OBJECT.LOCK);
  const endPage = Math.min(
    peek(words, object + OBJECT.PAGES),
    fullPagesOf(loadWide(machine, object + OBJECT.SUPPLIED)),
  );
  while (page >= 0 && page < endPage && freed < most) {
    page = indexNext(cpu, object, page, endPage);
    if (page < 0) break;
    const pfn = indexLookup(cpu, object, page);
    if (isIdle(cpu, pfn)) {
      if (peek(words, frameField(machine, pfn, FRAME.LINK)) >= beforeMs) {
        young++;
      } else {
        indexRemove(cpu, object, page, page + 1);
        freed++;
      }
    }
    page++;
  }
  unlock(cpu, object + OBJECT.LOCK);
  return { freed, young, nextPage: page > 0 && page < endPage ? page : 0 };
}

/** Only the index holds the frame, no pin either, and holders come through its lock. Clean. */
function isIdle(cpu: Cpu, pfn: Pfn): boolean {
  const { machine, words } = cpu;
  // ORDER: under the object's lock a count of 1 stays 1, and no mapping can set the dirty mark.
  if (load(words, frameField(machine, pfn, FRAME.COUNT)) !== 1) return false;
  return (load(words, frameField(machine, pfn, FRAME.STATE)) & FRAME.DIRTY) === 0;
}
