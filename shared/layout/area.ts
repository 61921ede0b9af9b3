/** A node of a space's area index (kernel/space/shared-area-store.ts). */
import { assert } from '../panic.ts';
import { describeBlock } from './block.ts';
import type { Block } from './block.ts';

/** Words of a block. */
export const WORDS = 32;

/** Non-zero while in use. */
export const LIVE = 0;
/** The child with lower addresses, 0 for none. */
export const LEFT = 1;
/** The child with higher addresses, 0 for none. */
export const RIGHT = 2;
/** The parent, 0 for the root. */
export const PARENT = 3;
/** Its place in the heap order of the treap. */
export const PRIORITY = 4;
/** VPNs. */
export const START = 5;
/** The VPN after its last page. */
export const END = 6;
/** Of the node's subtree: lowest start, highest end, longest gap, in pages. */
export const MIN_START = 7;
/** The highest end in the subtree, in VPNs. */
export const MAX_END = 8;
/** The longest gap in the subtree, in pages. */
export const MAX_GAP = 9;
/** AREA_ flags (kernel/machine/area-flags.ts). */
export const FLAGS = 10;
/** Its mapping record, 0 for private anonymous memory. */
export const RECORD = 11;
/** The index of its state in AREA_STATES. */
export const STATE = 12;
/** The space that the node belongs to: a lock-free reader may meet a node that was reused. */
export const SPACE = 13;
/** SPACE.AREA_SEQ when the area was last locked for writing: if equal, it is locked now. */
export const SEQ = 14;
/** Identity of the area's anonymous memory, 0 before the first page (Linux: anon_vma). */
export const ANON = 15;
/** In ANON: fork gave the area its identity; it merges with no area that has another, or none. */
export const ANON_INHERITED: number = 1 << 30;
/** In ANON, also without an identity: there have been guards, of which fork makes copies. */
export const ANON_GUARDS: number = 1 << 29;
/** For private anonymous memory: page offset - VPN, not 0 once it has moved (Linux: vm_pgoff). */
export const DELTA = 16;
/** Readers of the area. Outlives the node: a reader may still count itself out of a freed one. */
export const LOCK = 31;

assert(LOCK === WORDS - 1, 'layout: the lock of an area must be its stable word');

/** Its fields, and what protects each. */
export const LAYOUT: Block = describeBlock('area', WORDS, {
  "the areas' lock, and SPACE.INDEX_SEQ for readers without it": {
    LIVE,
    LEFT,
    RIGHT,
    PARENT,
    PRIORITY,
    START,
    END,
    MIN_START,
    MAX_END,
    MAX_GAP,
    FLAGS,
    RECORD,
    STATE,
    SPACE,
    ANON,
    DELTA,
  },
  'atomic words': { SEQ, LOCK },
});
