/**
 * The pages of a memory object: a radix tree from page number to frame, in frames.
 *
 * Guarantees: the tree grows with the pages that are there, not with the size of the object.
 * Locking: the object's OBJECT.LOCK, unless nobody else can reach the object. The buddy lock nests
 * in it. A reader that holds the lock may use a frame that it finds until it unlocks; to use it
 * longer, it takes a reference (pages.ts).
 */
import { peek, poke } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import type { ObjectBlock, ObjectPage, Pfn, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { allocFrame, freeFrame, putFrame } from '../frames/frames.ts';
import { frameWord, zeroFrame } from '../machine/machine.ts';

/** Pages that one slot of a node at `level` stands for: 1, 1024, 1048576. */
function pagesOf(level: number): number {
  return TABLE_ENTRIES ** level;
}

function slotOf(page: ObjectPage, level: number): number {
  return Math.floor(page / pagesOf(level)) & (TABLE_ENTRIES - 1);
}

/** The frame of a page, or 0 when it is not there. */
export function indexLookup(cpu: Cpu, object: ObjectBlock, page: ObjectPage): Pfn {
  const { words, machine } = cpu;
  const height = peek(words, object + OBJECT.INDEX_HEIGHT);
  if (page >= pagesOf(height)) return 0;
  let at = object + OBJECT.INDEX_ROOT;
  for (let level = height - 1; level >= 0; level--) {
    const node = peek(words, at);
    if (node === 0) return 0;
    at = frameWord(machine, node) + slotOf(page, level);
  }
  return peek(words, at);
}

/** Enters the frame of a page that is not there. False when memory for a node is exhausted. */
export function indexInsert(cpu: Cpu, object: ObjectBlock, page: ObjectPage, pfn: Pfn): boolean {
  assertHeld(cpu, object + OBJECT.LOCK);
  const { words, machine } = cpu;
  if (!growIndex(cpu, object, page)) return false;
  let at = object + OBJECT.INDEX_ROOT;
  for (let level = peek(words, object + OBJECT.INDEX_HEIGHT) - 1; level >= 0; level--) {
    const node = childNode(cpu, at);
    if (node === 0) return false;
    at = frameWord(machine, node) + slotOf(page, level);
  }
  poke(words, at, pfn);
  return true;
}

/** Adds levels above the root until the tree can hold `page`: 1 to 3 levels. */
function growIndex(cpu: Cpu, object: ObjectBlock, page: ObjectPage): boolean {
  const { words, machine } = cpu;
  const rootAt = object + OBJECT.INDEX_ROOT;
  let height = peek(words, object + OBJECT.INDEX_HEIGHT);
  while (page >= pagesOf(height)) {
    const old = peek(words, rootAt);
    if (old !== 0) {
      poke(words, rootAt, 0);
      const root = childNode(cpu, rootAt);
      if (root === 0) {
        poke(words, rootAt, old);
        return false;
      }
      poke(words, frameWord(machine, root), old);
    }
    height++;
    poke(words, object + OBJECT.INDEX_HEIGHT, height);
  }
  return true;
}

function childNode(cpu: Cpu, at: WordIndex): Pfn {
  const seen = peek(cpu.words, at);
  if (seen !== 0) return seen;
  const node = allocFrame(cpu, FRAME.KERNEL);
  if (node === 0) return 0;
  zeroFrame(cpu.machine, node);
  poke(cpu.words, at, node);
  return node;
}

/** The first page in [firstPage, endPage) that is there; -1 for none. */
export function indexNext(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): ObjectPage {
  const { words, machine } = cpu;
  let page = firstPage;
  while (page < endPage) {
    const height = peek(words, object + OBJECT.INDEX_HEIGHT);
    if (page >= pagesOf(height)) return -1;
    // Descend to the slot of the page, or to the empty slot that stands for it.
    let level = height;
    let entry = peek(words, object + OBJECT.INDEX_ROOT);
    while (level > 0 && entry !== 0) {
      level--;
      entry = peek(words, frameWord(machine, entry) + slotOf(page, level));
    }
    if (entry !== 0) return page;
    page = (Math.floor(page / pagesOf(level)) + 1) * pagesOf(level);
  }
  return -1;
}

/** Drops the pages [firstPage, endPage); each loses the index's reference. */
export function indexRemove(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): void {
  assertHeld(cpu, object + OBJECT.LOCK);
  const height = peek(cpu.words, object + OBJECT.INDEX_HEIGHT);
  removeBelow(cpu, object + OBJECT.INDEX_ROOT, height, 0, firstPage, endPage);
}

/** The slot `at` stands for the pages from `basePage` at `level`. Depth is bounded by 3 levels. */
function removeBelow(
  cpu: Cpu,
  at: WordIndex,
  level: number,
  basePage: ObjectPage,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): void {
  const { words, machine } = cpu;
  const entry = peek(words, at);
  const pages = pagesOf(level);
  if (entry === 0 || basePage >= endPage || basePage + pages <= firstPage) return;
  if (firstPage <= basePage && basePage + pages <= endPage) {
    poke(words, at, 0);
    if (level === 0) putFrame(cpu, entry);
    else freeNode(cpu, entry, level - 1);
    return;
  }
  const step = pagesOf(level - 1);
  const from = Math.max(0, Math.floor((firstPage - basePage) / step));
  const to = Math.min(TABLE_ENTRIES, Math.ceil((endPage - basePage) / step));
  for (let i = from; i < to; i++) {
    removeBelow(
      cpu,
      frameWord(machine, entry) + i,
      level - 1,
      basePage + i * step,
      firstPage,
      endPage,
    );
  }
}

/** Frees the whole index: nobody can reach the object any more. */
export function indexFree(cpu: Cpu, object: ObjectBlock): void {
  const height = peek(cpu.words, object + OBJECT.INDEX_HEIGHT);
  removeBelow(cpu, object + OBJECT.INDEX_ROOT, height, 0, 0, pagesOf(height));
}

function freeNode(cpu: Cpu, node: Pfn, level: number): void {
  const first = frameWord(cpu.machine, node);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const entry = peek(cpu.words, first + i);
    if (entry === 0) continue;
    if (level > 0) freeNode(cpu, entry, level - 1);
    else putFrame(cpu, entry);
  }
  freeFrame(cpu, node);
}
