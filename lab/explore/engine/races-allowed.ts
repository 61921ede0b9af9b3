/**
 * Where the kernel's accesses may race, each place with the reason why that is harmless. A place is
 * a file and a function in it. An excuse that no exploration needs is an error of its own: the
 * tests look for those.
 */
import type { Site } from '../build/transform.ts';

/** Plain accesses that may be unordered with another CPU's. */
const PLAIN: Readonly<Record<string, string>> = {
  'kernel/frames/memory-group.ts addResident':
    'the peak of resident pages may miss the width of a race; a number for reports',
  'kernel/paging/table.ts allocTable': 'the peak of table frames, likewise',
  'kernel/frames/buddy.ts isFreeBlock':
    'the frame may be changing hands outside the lock, but never to or from a free head',
  'kernel/frames/frames.ts poison':
    'copyFromUser may read a COW frame that a fault is replacing, and then looks again',
};

/** Ordered loads that race with plain stores, because they check afterwards. */
const SPECULATIVE: Readonly<Record<string, string>> = {
  'kernel/locking/vma.ts findArea':
    'compares SPACE.INDEX_SEQ after the reads and before it uses them',
  'kernel/reclaim/watermarks.ts freeFrames':
    'a momentary value, by which reclaim decides how much to do',
  'kernel/locking/vma.ts lockArea':
    'reads a node that may be gone, counted in, and checks AREA.LIVE first',
};

/** Ordered loads of an entry that may race with a plain store of a reserved one, or of none. */
const WALKERS: Readonly<Record<string, string>> = {
  'kernel/mmu/walk.ts walk': 'the MMU sees no entry or a reserved one, and faults on both',
  'kernel/reclaim/candidates.ts findCandidates':
    'takes present entries alone, which eviction reads again under the lock',
  'kernel/paging/table.ts seek':
    'under a lock nothing is filled meanwhile; findCandidates, without one, passes over both',
  'kernel/locking/rcu.ts lockCovering':
    'neither is a table: it stops at both, and looks again under the lock',
  'kernel/paging/table.ts peekEntry': 'a hint about the entry, which is read again under the lock',
};

/** Every place that is excused. */
export const RACES_ALLOWED: Readonly<Record<string, string>> = {
  ...PLAIN,
  ...SPECULATIVE,
  ...WALKERS,
};

/** The file and function of an access, as the lists above name it. */
export function placeOfExcuse({ place, caller }: Site): string {
  return `${place.slice(0, place.lastIndexOf(':'))} ${caller}`;
}

export function isExcused(site: Site): boolean {
  return PLAIN[placeOfExcuse(site)] !== undefined;
}

/** What the race detector is told of a site: 0 nothing, 1 speculative, 2 a walker. */
export function siteTolerance(sites: readonly Site[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(sites, (site) => {
    const place = placeOfExcuse(site);
    if (site.access === 'peek') return PLAIN[place] === undefined ? 0 : 1;
    if (site.access !== 'load') return 0;
    if (SPECULATIVE[place] !== undefined) return 1;
    return WALKERS[place] === undefined ? 0 : 2;
  });
}
