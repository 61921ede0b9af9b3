/**
 * Where the kernel's accesses may race, each place with the reason why that is harmless.
 */
import type { Site } from '../build/transform.ts';

/** Functions whose plain accesses may be unordered with another CPU's. */
export const RACES_ALLOWED: Readonly<Record<string, string>> = {};

/** Functions whose ordered loads race with plain stores, because they check afterwards. */
const SPECULATIVE: Readonly<Record<string, string>> = {
  findArea: 'the vma protocol compares S_INDEX_SEQ after the reads and before it uses them',
  lockArea: 'the vma protocol reads a node that may be gone, counted in, and checks A_LIVE first',
};

/** A 1 for each site that reads speculatively. */
export function speculativeSites(sites: readonly Site[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(sites, ({ caller, access }) =>
    access === 'load' && SPECULATIVE[caller] !== undefined ? 1 : 0,
  );
}
