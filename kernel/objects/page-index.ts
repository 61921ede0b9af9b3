/**
 * The pages of a memory object: a radix tree from page number to frame, in frames.
 *
 * Guarantees: lookups take no lock; two CPUs that insert the same page meet at one slot, and the
 * loser is told which frame won.
 * Locking: insertion by compare-exchange, nodes too. Removal only when the object is freed, when
 * nobody else can reach it; so a lookup never meets a freed node.
 */
import { compareExchange, load, peek } from '../../shared/atomics.ts';
import * as L from '../../shared/layout.ts';
import { TABLE_ENTRIES, TABLE_SHIFT } from '../../shared/limits.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { allocFrame, freeFrame, putFrame } from '../frames/frames.ts';
import { frameWord, zeroFrame } from '../machine.ts';

/** Levels of nodes that an object of that many pages needs: 1 to 3. */
export function indexHeight(pages: number): number {
  if (pages <= TABLE_ENTRIES) return 1;
  return pages <= TABLE_ENTRIES * TABLE_ENTRIES ? 2 : 3;
}

/** The frame of a page, or 0 when it is not there yet. */
export function indexLookup(cpu: Cpu, object: number, page: number): number {
  const { words, machine } = cpu;
  // ORDER: acquires the node's contents, published by the exchange that installed it.
  let at = object + L.O_INDEX_ROOT;
  for (let level = peek(words, object + L.O_INDEX_HEIGHT) - 1; level >= 0; level--) {
    const node = load(words, at);
    if (node === 0) return 0;
    at = frameWord(machine, node) + slotOf(page, level);
  }
  // ORDER: acquires the page's contents, written before it was inserted.
  return load(words, at);
}

/**
 * Inserts `pfn` for `page`. Returns the frame that is there afterwards: `pfn`, or the one that
 * another CPU inserted first; 0 when memory for a node is exhausted.
 */
export function indexInsert(cpu: Cpu, object: number, page: number, pfn: number): number {
  const { words, machine } = cpu;
  let at = object + L.O_INDEX_ROOT;
  for (let level = peek(words, object + L.O_INDEX_HEIGHT) - 1; level >= 0; level--) {
    const node = childNode(cpu, at);
    if (node === 0) return 0;
    at = frameWord(machine, node) + slotOf(page, level);
  }
  // ORDER: publishes the page's contents with its frame.
  const seen = compareExchange(words, at, 0, pfn);
  return seen === 0 ? pfn : seen;
}

/** Frees the whole index; each page loses the index's reference. Returns the pages dropped. */
export function indexFree(cpu: Cpu, object: number): number {
  const root = peek(cpu.words, object + L.O_INDEX_ROOT);
  if (root === 0) return 0;
  return freeNode(cpu, root, peek(cpu.words, object + L.O_INDEX_HEIGHT) - 1);
}

function slotOf(page: number, level: number): number {
  return Math.floor(page / 2 ** (level * TABLE_SHIFT)) & (TABLE_ENTRIES - 1);
}

function childNode(cpu: Cpu, at: number): number {
  const { words, machine } = cpu;
  // ORDER: acquires the node that another CPU may have installed.
  const seen = load(words, at);
  if (seen !== 0) return seen;
  const node = allocFrame(cpu, L.FRAME_KERNEL);
  if (node === 0) return 0;
  zeroFrame(machine, node);
  // ORDER: publishes the zeroed node; the loser frees its own.
  const other = compareExchange(words, at, 0, node);
  if (other === 0) return node;
  freeFrame(cpu, node);
  return other;
}

/** Depth is bounded by the height of an index, 3. */
function freeNode(cpu: Cpu, node: number, level: number): number {
  const first = frameWord(cpu.machine, node);
  let pages = 0;
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const entry = peek(cpu.words, first + i);
    if (entry === 0) continue;
    if (level > 0) {
      pages += freeNode(cpu, entry, level - 1);
    } else {
      putFrame(cpu, entry);
      pages++;
    }
  }
  freeFrame(cpu, node);
  return pages;
}
