/** Page tables as the page shows them: entries in words, the way to a page, and all leaves. */
import { ROOT_LEVEL, indexAt, pagesAt } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import { TABLE_ENTRIES } from '../../shared/limits.ts';
import * as P from '../../shared/pte.ts';
import type { Pfn, Pte, Vpn } from '../../shared/units.ts';
import { tableWord, word } from './words.ts';

/** What an entry is, for colours and counts. */
export type EntryKind =
  | 'empty'
  | 'table'
  | 'zero page'
  | 'page'
  | 'copy-on-write'
  | 'shared'
  | 'lazy'
  | 'object'
  | 'device'
  | 'guard'
  | 'swapped';

const reservedKinds: Readonly<Record<number, EntryKind>> = {
  [P.RESERVED_LAZY]: 'lazy',
  [P.RESERVED_OBJECT]: 'object',
  [P.RESERVED_DEVICE]: 'device',
  [P.RESERVED_GUARD]: 'guard',
  [P.RESERVED_SWAP]: 'swapped',
};

export function kindOfEntry(entry: Pte): EntryKind {
  if (entry === 0) return 'empty';
  if (P.isReserved(entry)) return reservedKinds[P.reservedKind(entry)] ?? 'lazy';
  if (P.isTable(entry)) return 'table';
  if (P.isZeroPage(entry)) return 'zero page';
  if ((entry & P.PTE_SHARED) !== 0) return 'shared';
  return (entry & P.PTE_COW) !== 0 ? 'copy-on-write' : 'page';
}

/** Whether the page has a frame of its own now. */
export function isResident(kind: EntryKind): boolean {
  return kind === 'page' || kind === 'copy-on-write' || kind === 'shared';
}

/** r, w and x as they are allowed; for copy-on-write as the hardware sees it, without w. */
function permissionText(entry: Pte): string {
  const letters = [
    [P.PTE_R, 'r'],
    [P.PTE_W, 'w'],
    [P.PTE_X, 'x'],
  ] as const;
  return letters.map(([bit, letter]) => ((entry & bit) === 0 ? '-' : letter)).join('');
}

/** The entry in words: `page rw- accessed dirty, frame 93`. */
export function describeEntry(entry: Pte): string {
  const kind = kindOfEntry(entry);
  if (kind === 'empty') return 'empty: nothing is mapped';
  if (kind === 'table') return `next table in frame ${P.pfnOf(entry)}`;
  if (P.isReserved(entry)) {
    const of = kind === 'swapped' ? `, swap slot ${P.reservedSlot(entry)}` : recordText(entry);
    return `${kind} ${permissionText(entry)}: reserved, no frame yet${of}`;
  }
  const bits = [
    (entry & P.PTE_A) !== 0 ? ' accessed' : '',
    (entry & P.PTE_D) !== 0 ? ' dirty' : '',
    (entry & P.PTE_S) !== 0 ? ' superpage' : '',
  ];
  return `${kind} ${permissionText(entry)}${bits.join('')}, frame ${P.pfnOf(entry)}`;
}

function recordText(entry: Pte): string {
  const record = P.reservedRecord(entry);
  return record === 0 ? '' : `, mapping record ${record}`;
}

/** One level on the way to a page. */
export interface WalkStep {
  readonly level: number;
  readonly table: Pfn;
  readonly index: number;
  readonly entry: Pte;
}

/** The entries that an MMU reads on its way to `vpn`, down to the one that decides. */
export function walkSteps(machine: Machine, root: Pfn, vpn: Vpn): WalkStep[] {
  const steps: WalkStep[] = [];
  let table = root;
  for (let level = ROOT_LEVEL; level >= 0; level--) {
    const at = tableWord(machine, table);
    if (at < 0) break;
    const index = indexAt(vpn, level);
    const entry: Pte = word(machine, at + index);
    steps.push({ level, table, index, entry });
    if (level === 0 || !P.isTable(entry)) break;
    table = P.pfnOf(entry);
  }
  return steps;
}

/** Entries of one table that are alike, one after the other. */
export interface EntryRun {
  readonly index: number;
  readonly count: number;
  readonly entry: Pte;
  readonly kind: EntryKind;
}

/** The entries of a table that are not empty; reserved ones that are equal form one run. */
export function runsOf(machine: Machine, table: Pfn): EntryRun[] {
  const at = tableWord(machine, table);
  const runs: { index: number; count: number; entry: Pte; kind: EntryKind }[] = [];
  if (at < 0) return runs;
  for (let index = 0; index < TABLE_ENTRIES; index++) {
    const entry: Pte = word(machine, at + index);
    if (entry === 0) continue;
    const last = runs.at(-1);
    const continues = last?.entry === entry && last.index + last.count === index;
    if (continues && P.isReserved(entry)) last.count++;
    else runs.push({ index, count: 1, entry, kind: kindOfEntry(entry) });
  }
  return runs;
}

/** Gets each present leaf: its frame, first page, how many pages, and its entry. */
export type LeafVisitor = (pfn: Pfn, vpn: Vpn, pages: number, entry: Pte) => void;

/** Visits all leaves of the table, present or reserved. */
export function visitLeaves(
  machine: Machine,
  table: Pfn,
  visit: LeafVisitor,
  level: number = ROOT_LEVEL,
  baseVpn: Vpn = 0,
): void {
  const at = tableWord(machine, table);
  if (at < 0) return;
  const { words } = machine;
  const pages = pagesAt(level);
  for (let index = 0; index < TABLE_ENTRIES; index++) {
    const entry: Pte = words[at + index] ?? 0;
    if (entry === 0) continue;
    const vpn = baseVpn + index * pages;
    if (level > 0 && P.isTable(entry)) visitLeaves(machine, P.pfnOf(entry), visit, level - 1, vpn);
    else visit(P.isPresent(entry) ? P.pfnOf(entry) : 0, vpn, pages, entry);
  }
}
