/** One frame in words: its state, what counts it, and where it is mapped. */
import { frameField } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import type { Pfn } from '../../shared/units.ts';
import type { FrameOwners, FrameUse } from './frame-owners.ts';
import { stateOf, word } from './words.ts';

const stateTexts: Readonly<Record<number, string>> = {
  [FRAME.FREE]: 'free, inside a larger free block',
  [FRAME.FREE_HEAD]: 'free, the first frame of a free block',
  [FRAME.CACHED]: 'free, in a CPU’s cache',
  [FRAME.USED]: 'in use',
  [FRAME.TABLE]: 'a page table',
  [FRAME.RETIRED]: 'a detached page table in its grace period',
  [FRAME.SLAB]: 'kernel blocks (slab)',
  [FRAME.KERNEL]: 'kernel memory',
  [FRAME.HOLE]: 'not usable',
};

export interface FrameFacts {
  readonly text: string;
  readonly uses: readonly FrameUse[];
}

export function describeFrame(
  { machine, owners }: { readonly machine: Machine; readonly owners: FrameOwners },
  pfn: Pfn,
): FrameFacts {
  const flags = word(machine, frameField(machine, pfn, FRAME.STATE));
  const count = word(machine, frameField(machine, pfn, FRAME.COUNT));
  const state = stateOf(machine, pfn);
  const uses = state === FRAME.USED ? owners.usesOf(pfn) : [];
  const parts = [`Frame ${pfn}: ${stateTexts[state] ?? 'unknown'}`];
  if (state === FRAME.TABLE) {
    const level = (flags >> FRAME.LEVEL_SHIFT) & 3;
    parts.push(`level ${level}`, `${count} live entries`);
  }
  if (state === FRAME.SLAB) parts.push(`${count} live blocks`);
  if (state === FRAME.USED) {
    const pins = Math.floor(count / FRAME.PIN);
    parts.push(`${count % FRAME.PIN} references`);
    if (pins > 0) parts.push(`${pins} pins`);
    if ((flags & FRAME.PAGE_CACHE) !== 0) parts.push('a page of an object');
    if ((flags & FRAME.DIRTY) !== 0) parts.push('dirty');
    parts.push(uses.length === 0 ? 'mapped by nobody' : `mapped by ${uses.length}:`);
  }
  return { text: parts.join(', '), uses };
}
