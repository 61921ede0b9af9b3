/**
 * Where the kernel's accesses may race, each place with the reason why that is harmless.
 */
import type { Site } from '../build/transform.ts';

/** Functions whose plain accesses may be unordered with another CPU's. */
export const RACES_ALLOWED: Readonly<Record<string, string>> = {
  addResident: 'the peak of resident pages may miss the width of a race; a number for reports',
  allocTable: 'the peak of table frames, likewise',
  clearRange: 'asks whether an entry is empty, under the range lock; the MMU sets only A and D',
  clearEntry: 'likewise',
  protectRange: 'likewise',
  isFreeBlock: 'the frame may be changing hands outside the lock, but never to or from a free head',
  poison: 'copyFromUser may read a COW frame that a fault is replacing, and then looks again',
  firstStamp: 'orders identities by frames that a fault may be replacing; it shows in maps only',
};

/** Functions whose ordered loads race with plain stores, because they check afterwards. */
const SPECULATIVE: Readonly<Record<string, string>> = {
  findArea: 'the vma protocol compares SPACE.INDEX_SEQ after the reads and before it uses them',
  lockArea:
    'the vma protocol reads a node that may be gone, counted in, and checks AREA.LIVE first',
  isPageCache: 'settleAnon asks it of a frame that a fault may be replacing; the next one sees it',
};

/** Functions whose ordered loads of an entry may race with a plain store of a reserved one. */
const WALKERS: Readonly<Record<string, string>> = {
  walk: 'the MMU sees no entry or a reserved one, and faults on both',
  peekEntry: 'a hint about the entry, which is read again under the lock',
};

/** What the race detector is told of a site: 0 nothing, 1 speculative, 2 a walker. */
export function siteTolerance(sites: readonly Site[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(sites, ({ caller, access }) => {
    if (access === 'peek') return RACES_ALLOWED[caller] === undefined ? 0 : 1;
    if (access !== 'load') return 0;
    if (SPECULATIVE[caller] !== undefined) return 1;
    return WALKERS[caller] === undefined ? 0 : 2;
  });
}
