/** The advice that madvise keeps in area flags, and which areas accept which (Linux 6.18). */
import { EINVAL } from '../../shared/abi/errno.ts';
import * as M from '../../shared/abi/mman.ts';
import * as F from '../machine/area-flags.ts';
import type { Area } from '../space/shared-area-store.ts';
import { ANONYMOUS } from '../objects/record.ts';

/** Whether the advice only changes flags. */
export function isFlagAdvice(advice: number): boolean {
  switch (advice) {
    case M.MADV_NORMAL:
    case M.MADV_RANDOM:
    case M.MADV_SEQUENTIAL:
    case M.MADV_DONTFORK:
    case M.MADV_DOFORK:
    case M.MADV_MERGEABLE:
    case M.MADV_UNMERGEABLE:
    case M.MADV_HUGEPAGE:
    case M.MADV_NOHUGEPAGE:
    case M.MADV_DONTDUMP:
    case M.MADV_DODUMP:
    case M.MADV_WIPEONFORK:
    case M.MADV_KEEPONFORK:
      return true;
    default:
      return false;
  }
}

/** The area's flags after the advice, or -EINVAL. */
export function advisedFlags(area: Area, advice: number): number {
  const { flags } = area;
  switch (advice) {
    case M.MADV_NORMAL:
      return flags & ~(F.AREA_RANDOM | F.AREA_SEQUENTIAL);
    case M.MADV_RANDOM:
      return (flags & ~F.AREA_SEQUENTIAL) | F.AREA_RANDOM;
    case M.MADV_SEQUENTIAL:
      return (flags & ~F.AREA_RANDOM) | F.AREA_SEQUENTIAL;
    case M.MADV_DONTFORK:
      return flags | F.AREA_DONTFORK;
    case M.MADV_DOFORK:
      return area.backend.isSpecial ? -EINVAL : flags & ~F.AREA_DONTFORK;
    case M.MADV_MERGEABLE:
      return canMergePages(area) ? flags | F.AREA_MERGEABLE : flags;
    case M.MADV_UNMERGEABLE:
      return flags & ~F.AREA_MERGEABLE;
    case M.MADV_HUGEPAGE:
      return (flags & ~F.AREA_NOHUGEPAGE) | F.AREA_HUGEPAGE;
    case M.MADV_NOHUGEPAGE:
      return (flags & ~F.AREA_HUGEPAGE) | F.AREA_NOHUGEPAGE;
    case M.MADV_DONTDUMP:
      return flags | F.AREA_DONTDUMP;
    case M.MADV_DODUMP:
      if (area.backend.isSpecial || (flags & F.AREA_DROPPABLE) !== 0) return -EINVAL;
      return flags & ~F.AREA_DONTDUMP;
    case M.MADV_WIPEONFORK:
      return isAnonymous(area) ? flags | F.AREA_WIPEONFORK : -EINVAL;
    case M.MADV_KEEPONFORK:
      return (flags & F.AREA_DROPPABLE) !== 0 ? -EINVAL : flags & ~F.AREA_WIPEONFORK;
    default:
      return -EINVAL;
  }
}

/** Private anonymous memory (vma_is_anonymous). */
export function isAnonymous(area: Area): boolean {
  return area.backend.record === ANONYMOUS;
}

/** ksm_compatible: where same-page merging could be asked for; elsewhere the advice is ignored. */
function canMergePages(area: Area): boolean {
  return !area.backend.isSpecial && (area.flags & (F.AREA_SHARED | F.AREA_DROPPABLE)) === 0;
}
