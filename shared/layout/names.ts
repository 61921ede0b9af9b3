/** Names of the machine's words, from the same tables as the layout: 'cpu 1 MODE'. */
import { TABLE_ENTRIES } from '../limits.ts';
import { fieldName } from './block.ts';
import type { Block } from './block.ts';
import * as FRAME from './frame.ts';
import { findWord } from './regions.ts';
import type { Regions } from './regions.ts';
import * as SLAB from './slabs.ts';
import type { WordIndex } from '../units.ts';

/** A machine's words and where its regions lie. */
export interface NamedWords extends Regions {
  readonly words: Int32Array;
}

/** A word's name, from what the machine's metadata say about its frame at this moment. */
export function wordName(machine: NamedWords, at: WordIndex): string {
  const { region, index, within } = findWord(machine, at);
  if (region.key === 'frameBase') return frameWordName(machine, index, within);
  const item = region.key === 'boot' ? region.item : `${region.item} ${index}`;
  if (region.block !== null) return `${item} ${fieldName(region.block, within)}`;
  return region.words === 1 ? item : `${item} word ${within}`;
}

/** The block that a word lies in, by the same metadata, and the block's first word; or null. */
export function blockOfWord(
  machine: NamedWords,
  at: number,
): { readonly block: Block; readonly first: number } | null {
  const { region, index, within } = findWord(machine, at);
  let { block } = region;
  if (region.key === 'frameBase') {
    const meta = stateOfFrame(machine, index);
    if ((meta & 0xf) === FRAME.SLAB) block = SLAB.BLOCKS[(meta >> FRAME.ORDER_SHIFT) & 0xf] ?? null;
  }
  return block === null ? null : { block, first: at - (within % block.words) };
}

/** Whether a word is an entry of a page table, by the same metadata. */
export function isTableWord(machine: NamedWords, at: WordIndex): boolean {
  if (at < machine.frameBase) return false;
  const { index } = findWord(machine, at);
  return (stateOfFrame(machine, index) & 0xf) === FRAME.TABLE;
}

function stateOfFrame(machine: NamedWords, frame: number): number {
  return machine.words[machine.meta + frame * FRAME.WORDS + FRAME.STATE] as number;
}

function frameWordName(machine: NamedWords, frame: number, within: number): string {
  const meta = stateOfFrame(machine, frame);
  const state = meta & 0xf;
  if (state === FRAME.TABLE) {
    return `table ${frame} (level ${(meta >> FRAME.LEVEL_SHIFT) & 3}) entry ${within}`;
  }
  const block = SLAB.BLOCKS[(meta >> FRAME.ORDER_SHIFT) & 0xf];
  if (state === FRAME.SLAB && block !== undefined) {
    const nth = Math.floor(within / block.words);
    return `${block.name} ${frame}.${nth} ${fieldName(block, within % block.words)}`;
  }
  return `${FRAME.STATE_NAMES[state]} frame ${frame} word ${within % TABLE_ENTRIES}`;
}
