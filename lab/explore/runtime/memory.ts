/**
 * The machine's words between executions: a snapshot, and the 16-word blocks written since.
 *
 * A write marks its block; `restore` copies the marked blocks back. Measured on a machine of 256
 * frames: about 0.03 µs a block, against 110 µs for copying all words.
 */
import type { Words } from '../../../shared/atomics.ts';

const BLOCK_SHIFT = 4;
const BLOCK_WORDS = 16;

let words: Words = new Int32Array(new SharedArrayBuffer(0));
let base = new Int32Array(0);
let stamps = new Int32Array(0);
let dirty = new Int32Array(0);
let dirtyCount = 0;
let stamp = 1;

/** Takes the present contents as the state to return to. */
export function snapshot(machineWords: Words): void {
  words = machineWords;
  base = new Int32Array(words);
  const blocks = Math.ceil(words.length / BLOCK_WORDS);
  stamps = new Int32Array(blocks);
  dirty = new Int32Array(blocks);
  dirtyCount = 0;
  stamp = 1;
}

/** To be called before a word is written. */
export function mark(at: number): void {
  if (stamps[at >> BLOCK_SHIFT] !== stamp) markBlock(at >> BLOCK_SHIFT);
}

function markBlock(block: number): void {
  stamps[block] = stamp;
  dirty[dirtyCount] = block;
  dirtyCount++;
}

export function markRange(from: number, to: number): void {
  for (let at = from; at < to; at += BLOCK_WORDS) mark(at);
  if (to > from) mark(to - 1);
}

export function restore(): void {
  for (let i = 0; i < dirtyCount; i++) {
    const from = (dirty[i] as number) << BLOCK_SHIFT;
    const to = Math.min(from + BLOCK_WORDS, words.length);
    for (let at = from; at < to; at++) words[at] = base[at] as number;
  }
  dirtyCount = 0;
  stamp++;
}

/**
 * A hash of the words that differ from the snapshot, without those marked in `ignored`, and of
 * `beside`, a hash of what else belongs to the state.
 */
export function hashChanges(ignored: Uint8Array, beside: number): number {
  let low = beside;
  let high = beside;
  for (let i = 0; i < dirtyCount; i++) {
    const from = (dirty[i] as number) << BLOCK_SHIFT;
    const to = Math.min(from + BLOCK_WORDS, words.length);
    for (let at = from; at < to; at++) {
      const value = words[at] as number;
      if (value === base[at] || ignored[at] === 1) continue;
      // The order of the blocks must not matter: each word is mixed by itself, and summed.
      let mixed = Math.imul(value ^ Math.imul(at, 0x9e3779b1), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
      low = (low + (mixed ^ (mixed >>> 16))) | 0;
      high = (high + Math.imul(mixed ^ (mixed >>> 13), 0x27d4eb2f)) | 0;
    }
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
