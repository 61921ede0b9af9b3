/**
 * The way of one access, as it happened: the page table before and after it, and what the counters
 * of its CPU and its address space say. A step is told only if words of the machine show it. Each
 * names the function of the kernel that takes it, whose source the page shows beside it.
 */
import type { Machine } from '../../kernel/index.ts';
import * as P from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pid, Pte, VirtAddr } from '../../shared/units.ts';
import { describeEntry, kindOfEntry, walkSteps } from '../read/entries.ts';
import type { EntryKind, WalkStep } from '../read/entries.ts';
import { cpuRow, processRow } from '../read/processes.ts';

/** What is read before the access, and again after it. */
export interface Moment {
  readonly steps: readonly WalkStep[];
  readonly faultsMinor: number;
  readonly faultsMajor: number;
  readonly shootdowns: number;
  readonly tables: number;
  readonly zeroed: number;
}

export interface PathStep {
  readonly text: string;
  /** The kernel's function as `FILE:NAME`, '' for none. */
  readonly source: string;
}

/** Functions of the kernel whose source the page can show; scripts/page-sources.mjs copies them. */
const SOURCES = {
  walk: 'kernel/mmu/walk.ts:walk',
  handleFault: 'kernel/faults/fault.ts:handleFault',
  resolve: 'kernel/faults/fault.ts:resolve',
  enterZeroed: 'kernel/faults/fault.ts:enterZeroed',
  enterZeroPage: 'kernel/faults/fault.ts:enterZeroPage',
  breakCow: 'kernel/faults/cow.ts:breakCow',
  resolveObject: 'kernel/faults/object-fault.ts:resolveObject',
  resolveSwap: 'kernel/faults/swap-in.ts:resolveSwap',
  shootDown: 'kernel/paging/shootdown.ts:shootDown',
  forkSpace: 'kernel/lifecycle/fork.ts:forkSpace',
} as const;

export function momentOf(machine: Machine, pid: Pid, address: VirtAddr): Moment {
  const process = processRow(machine, pid);
  const cpu = cpuRow(machine, process?.cpu ?? 0);
  return {
    steps: process === null ? [] : walkSteps(machine, process.root, vpnOf(address)),
    faultsMinor: process?.faultsMinor ?? 0,
    faultsMajor: process?.faultsMajor ?? 0,
    shootdowns: process?.shootdowns ?? 0,
    tables: process?.tables ?? 0,
    zeroed: cpu.stat('framesZeroed'),
  };
}

/** What the kernel does about an entry of a kind: of a read, and of a write. */
type Answer = readonly [text: string, source: string];
const toRead: Readonly<Partial<Record<EntryKind, Answer>>> = {
  lazy: ['never used and only read: the zero page is enough', SOURCES.enterZeroPage],
  object: ['the page comes from its object', SOURCES.resolveObject],
  swapped: ['swapped out: the page comes back from its slot', SOURCES.resolveSwap],
  guard: ['a guard: refused as if nothing were mapped', SOURCES.resolve],
  empty: ['nothing is mapped there', SOURCES.resolve],
};
const toWrite: typeof toRead = {
  ...toRead,
  lazy: ['never used: the page gets a zeroed frame of its own', SOURCES.enterZeroed],
  'zero page': ['the zero page is never written: a zeroed frame replaces it', SOURCES.enterZeroed],
  'copy-on-write': [
    'copy-on-write: the frame is copied, or kept if nobody else has it',
    SOURCES.breakCow,
  ],
};

function lastEntry({ steps }: Moment): Pte {
  return steps.at(-1)?.entry ?? 0;
}

/** Whether an MMU refuses the access by this entry. */
function wouldFault(entry: Pte, isWrite: boolean): boolean {
  return !P.isPresent(entry) || (entry & (isWrite ? P.PTE_W : P.PTE_R)) === 0;
}

/** The steps of an access; `error` is the signal that it got, null if it went through. */
export function accessPath(
  before: Moment,
  after: Moment,
  isWrite: boolean,
  error: string | null,
): PathStep[] {
  const access = isWrite ? 'write' : 'read';
  const path: PathStep[] = before.steps.map(({ level, index, table, entry }) => ({
    text: `Level ${level}, table in frame ${table}, entry ${index}: ${describeEntry(entry)}`,
    source: SOURCES.walk,
  }));
  const entry = lastEntry(before);
  if (!wouldFault(entry, isWrite)) {
    const text = `The entry allows the ${access}: no fault. With a TLB hit it was not even read.`;
    return [...path, { text, source: SOURCES.walk }];
  }
  path.push({
    text: `The entry does not allow the ${access}: a page fault, the CPU enters the kernel`,
    source: SOURCES.handleFault,
  });
  const right = isWrite ? P.PTE_W : P.PTE_R;
  const isMapped = entry !== 0 && kindOfEntry(entry) !== 'guard';
  const answers = isWrite ? toWrite : toRead;
  const [text, source] =
    isMapped && (P.logicalRwx(entry) & right) === 0
      ? (['the area does not permit it', SOURCES.resolve] as const)
      : (answers[kindOfEntry(entry)] ?? ['the entry decides', SOURCES.resolve]);
  path.push({ text: `The kernel looks at the entry: ${text}`, source });
  return [...path, ...outcome(before, after, error)];
}

/** What has changed, as the words of the machine show it. */
function outcome(before: Moment, after: Moment, error: string | null): PathStep[] {
  if (error !== null) return [{ text: `The fault is refused: ${error}`, source: '' }];
  const path: PathStep[] = [];
  const add = (count: number, text: string, source = ''): void => {
    if (count > 0) path.push({ text, source });
  };
  const tables = after.tables - before.tables;
  add(tables, `Page tables made on the way down: ${tables}`);
  const zeroed = after.zeroed - before.zeroed;
  add(zeroed, `Frames zeroed: ${zeroed}`, SOURCES.enterZeroed);
  const major = 'A major fault: the CPU slept until the kernel worker had the page';
  add(after.faultsMajor - before.faultsMajor, major);
  add(1, `The entry is now: ${describeEntry(lastEntry(after))}`);
  const flushed = 'The old translation is dropped from every TLB that may hold it';
  add(after.shootdowns - before.shootdowns, flushed, SOURCES.shootDown);
  add(1, 'The CPU leaves the kernel and repeats the access, which goes through');
  return path;
}
