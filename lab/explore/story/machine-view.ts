/**
 * What a machine's words say about its address spaces and page tables at a moment, read from
 * outside: no access that the explorer sees.
 */
import * as FRAME from '../../../shared/layout/frame.ts';
import { wordName } from '../../../shared/layout/names.ts';
import type { NamedWords } from '../../../shared/layout/names.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import * as SLAB from '../../../shared/layout/slabs.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import { TABLE_ENTRIES, TABLE_SHIFT } from '../../../shared/limits.ts';
import * as pte from '../../../shared/pte.ts';

const LEVELS = 3;

/** A page table that is part of a space's tree. */
export interface TableAt {
  readonly space: number;
  /** 2 for the root, 0 for the entries of pages. */
  readonly level: number;
  /** Of its first entry. */
  readonly startVpn: number;
}

/** An entry that is not empty and leads to no table. */
export interface EntryAt {
  readonly startVpn: number;
  readonly pages: number;
  readonly entry: number;
}

export interface SpaceAt {
  readonly space: number;
  /** 'space 2.0', as shared/layout/names.ts has it. */
  readonly name: string;
  /** 'process 1', after the first process that uses it; 'a new process' has no number yet. */
  readonly owner: string;
  readonly entries: readonly EntryAt[];
}

export interface MachineView {
  readonly spaces: readonly SpaceAt[];
  /** By frame. */
  readonly tables: ReadonlyMap<number, TableAt>;
}

/** `frames`: of the machine. */
export function viewMachine(machine: NamedWords, frames: number): MachineView {
  const { words } = machine;
  const owners = new Map<number, number>();
  for (const proc of blocksOf(machine, frames, PROCESS.WORDS, SLAB.PROCESS)) {
    const space = words[proc + PROCESS.SPACE] as number;
    const pid = words[proc + PROCESS.PID] as number;
    if (space !== 0) owners.set(space, Math.min(pid, owners.get(space) ?? pid));
  }
  const tables = new Map<number, TableAt>();
  const spaces = blocksOf(machine, frames, SPACE.WORDS, SLAB.SPACE).map((space): SpaceAt => {
    const entries: EntryAt[] = [];
    const top = { space, level: LEVELS - 1, startVpn: 0 };
    walk(machine, top, words[space + SPACE.ROOT] as number, tables, entries);
    const pid = owners.get(space);
    const owner = pid === undefined ? 'no process' : pid === 0 ? 'a new process' : `process ${pid}`;
    return { space, name: wordName(machine, space).replace(/ \S+$/, ''), owner, entries };
  });
  return { spaces, tables };
}

function walk(
  machine: NamedWords,
  at: TableAt,
  frame: number,
  tables: Map<number, TableAt>,
  entries: EntryAt[],
): void {
  if (frame === 0 || machine.frameBase + ((frame + 1) << TABLE_SHIFT) > machine.words.length)
    return;
  tables.set(frame, at);
  const first = machine.frameBase + (frame << TABLE_SHIFT);
  const pages = TABLE_ENTRIES ** at.level;
  for (let index = 0; index < TABLE_ENTRIES; index++) {
    const entry = machine.words[first + index] as number;
    if (entry === 0) continue;
    const startVpn = at.startVpn + index * pages;
    if (at.level > 0 && pte.isTable(entry)) {
      const below = { space: at.space, level: at.level - 1, startVpn };
      // A tree that is being taken apart may be wrong, but never leads round in a circle.
      walk(machine, below, pte.pfnOf(entry), tables, entries);
    } else entries.push({ startVpn, pages, entry });
  }
}

/** The live blocks of a slab. */
function blocksOf(machine: NamedWords, frames: number, size: number, slab: number): number[] {
  const { words, meta, frameBase } = machine;
  const blocks: number[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const state = words[meta + frame * FRAME.WORDS + FRAME.STATE] as number;
    if ((state & 0xf) !== FRAME.SLAB || ((state >> FRAME.ORDER_SHIFT) & 0xf) !== slab) continue;
    const first = frameBase + (frame << TABLE_SHIFT);
    for (let at = first; at + size <= first + TABLE_ENTRIES; at += size) {
      if (words[at] !== 0) blocks.push(at);
    }
  }
  return blocks;
}
