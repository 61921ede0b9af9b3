/*
 * A model of page table, areas and frames together that is too simple to be wrong, and the machine
 * compared with it: random mmap, munmap, mprotect, advice, locks and faults, over an arena around a
 * 4 GiB border that also has 4 MiB borders, in a machine whose memory is squeezed until calls fail
 * in the middle. The model is one cell for each page. After every step all pages and contents are
 * compared and the machine is audited; a step that answered ENOMEM must have changed nothing.
 */
import fc from 'fast-check';
import * as RECORD from '../../shared/layout/record.ts';
import { expect } from 'vitest';

import { audit } from '../../kernel/audit/audit.ts';
import { openFd } from '../../kernel/objects/fd.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import {
  FAULT_ACCERR,
  FAULT_DONE,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
} from '../../kernel/machine/fault-codes.ts';
import { allocFrame, freeFrame } from '../../kernel/frames/frames.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { dispatch } from '../../kernel/syscalls/dispatch.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { peek } from '../../shared/atomics.ts';
import { ENOMEM } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { expectClean, quiesce, testMachine, testProcess } from './kernel-helpers.ts';
import type { TestMachine } from './kernel-helpers.ts';

/** Another campaign: PAGE_TABLE_SEED=7 PAGE_TABLE_RUNS=1000 npx vitest run page-table. */
const SEED = Number(process.env['PAGE_TABLE_SEED'] ?? 20);
const RUNS = Number(process.env['PAGE_TABLE_RUNS'] ?? 20);
const RW = M.PROT_READ | M.PROT_WRITE;
const ANON = M.MAP_PRIVATE | M.MAP_ANONYMOUS;
const FIXED = M.MAP_FIXED;
/** The border of two 4 GiB parts, in pages. */
const BORDER = 2 ** 20;
const LOW = BORDER - 2 * SPAN_PAGES - 4;
const HIGH = BORDER + 2 * SPAN_PAGES + 4;
/** A linear object is one buddy block: a superpage. */
const LINEAR_PAGES = 1024;

interface Page {
  prot: number;
  source: 'anonymous' | 'shared' | 'linear';
  /** Page of the linear object. */
  linear: number;
  /** First word of a resident page; null when it is not resident. */
  value: number | null;
}

interface World {
  readonly t: TestMachine;
  readonly pid: number;
  readonly proc: number;
  readonly space: number;
  readonly fd: number;
  readonly base: number;
  pages: (Page | null)[];
  /** Values of the linear object's pages, which outlive mappings. */
  readonly linear: number[];
  readonly held: number[];
  nextValue: number;
  readonly seen: Map<string, number>;
}

type Step =
  | { op: 'mmap'; from: number; pages: number; prot: number; source: Page['source']; page: number }
  | { op: 'munmap'; from: number; pages: number }
  | { op: 'mprotect'; from: number; pages: number; prot: number }
  | { op: 'mark'; from: number; pages: number; call: number; how: number }
  | { op: 'touch'; from: number; pages: number; write: boolean }
  | { op: 'squeeze'; left: number };

function newWorld(protocol: LockingProtocolName, seen: Map<string, number>): World {
  const t = testMachine({ protocol, frames: 2304 });
  const spec = { kind: OBJECT.LINEAR, size: LINEAR_PAGES * PAGE_SIZE, host: 1, writable: true };
  const object = createObject(t.cpu, spec);
  const { pid, proc, space } = testProcess(t);
  const fd = openFd(t.cpu, proc, object, M.O_RDWR);
  putObject(t.cpu, object);
  return {
    t,
    pid,
    proc,
    space,
    fd,
    base: t.machine.words[object + OBJECT.BASE_PFN] as number,
    pages: new Array<Page | null>(HIGH - LOW).fill(null),
    linear: new Array<number>(LINEAR_PAGES).fill(0),
    held: [],
    nextValue: 1,
    seen,
  };
}

function freeFrames({ t }: World): number {
  const { words } = t.machine;
  return (words[BOOT.FREE_FRAMES] as number) + (words[t.cpu.base + CPU.CACHE_COUNT] as number);
}

/** Frames in other CPUs' caches do not exist here: one CPU does everything. */
function squeeze(world: World, left: number): void {
  while (freeFrames(world) > left) world.held.push(allocFrame(world.t.cpu, FRAME.USED));
  while (freeFrames(world) < left && world.held.length > 0) {
    freeFrame(world.t.cpu, world.held.pop() as number);
  }
}

function copyPages(pages: readonly (Page | null)[]): (Page | null)[] {
  return pages.map((page) => (page === null ? null : { ...page }));
}

/** What a successful step leaves. */
function modelMap(world: World, step: Step & { op: 'mmap' }): (Page | null)[] {
  const pages = copyPages(world.pages);
  for (let i = 0; i < step.pages; i++) {
    const linear = step.source === 'linear' ? step.page + i : -1;
    pages[step.from - LOW + i] = {
      prot: step.prot,
      source: step.source,
      linear,
      value: null,
    };
  }
  return pages;
}

function entryDifference(world: World, page: Page | null, vpn: number, entry: number): string {
  if (page === null) return entry === 0 ? '' : 'not empty';
  if (entry === 0) return 'empty';
  if (pte.logicalRwx(entry) !== pte.rwxOfProt(page.prot)) return `protection is ${page.prot}`;
  const value = page.source === 'linear' ? (world.linear[page.linear] as number) : page.value;
  if (pte.isPresent(entry) !== (value !== null)) return `value is ${value}`;
  if (value === null) return '';
  const { machine } = world.t;
  const pfn = pte.pfnOf(entry) + ((entry & pte.PTE_S) !== 0 ? vpn & (SPAN_PAGES - 1) : 0);
  if (page.source === 'linear' && pfn !== world.base + page.linear) return 'not the linear frame';
  const word = machine.words[frameWord(machine, pfn)];
  return word === value ? '' : `holds ${word}, not ${value}`;
}

/** Empty when the machine equals the model, else the first difference. */
function difference(world: World, pages: readonly (Page | null)[]): string {
  const { t, space } = world;
  let resident = 0;
  for (let i = 0; i < pages.length; i++) {
    const page = pages[i] as Page | null;
    const entry = peekEntry(t.cpu, space, LOW + i);
    const wrong = entryDifference(world, page, LOW + i, entry);
    if (wrong !== '') {
      return `VPN 0x${(LOW + i).toString(16)}, entry 0x${(entry >>> 0).toString(16)}: ${wrong}`;
    }
    if (pte.isPresent(entry) && !pte.isZeroPage(entry)) resident++;
  }
  const counted = audit(t.cpu, { heldFrames: world.held });
  if (counted.violations.length > 0) return `audit: ${counted.violations.join('; ')}`;
  if (counted.checked['residentPages'] !== resident) return `${resident} pages resident`;
  return '';
}

/** The machine is as the model says, or as before when memory was too little. */
function settle(world: World, what: string, code: number, after: (Page | null)[]): void {
  world.seen.set(`${what} ${code}`, (world.seen.get(`${what} ${code}`) ?? 0) + 1);
  if (code === -ENOMEM && world.held.length > 0 && after !== world.pages) {
    if (difference(world, world.pages) === '') return;
  } else if (code === -ENOMEM && after !== world.pages) {
    throw new Error(`${what}: ENOMEM with ${freeFrames(world)} frames free`);
  }
  expect(difference(world, after)).toBe('');
  world.pages = after;
}

function runStep(world: World, step: Step): void {
  const { t, proc } = world;
  switch (step.op) {
    case 'mmap':
      return runMap(world, step);
    case 'munmap': {
      const code = sysMunmap(t.cpu, proc, step.from * PAGE_SIZE, step.pages * PAGE_SIZE);
      const after = copyPages(world.pages);
      after.fill(null, step.from - LOW, step.from - LOW + step.pages);
      if (code !== -ENOMEM) expect(code).toBe(0);
      return settle(world, 'munmap', code, after);
    }
    case 'mprotect':
      return runProtect(world, step);
    case 'mark': {
      // Flags of areas: they divide areas, and no page changes.
      const [at, size] = [step.from * PAGE_SIZE, step.pages * PAGE_SIZE];
      const code = dispatch(t.cpu, proc, step.call, at, size, step.how, 0, 0, 0);
      world.seen.set(`mark ${code}`, (world.seen.get(`mark ${code}`) ?? 0) + 1);
      return expect(difference(world, world.pages)).toBe('');
    }
    case 'touch':
      for (let i = 0; i < Math.min(step.pages, 5); i++) touch(world, step.from + i, step.write);
      return expect(difference(world, world.pages)).toBe('');
    case 'squeeze':
      return squeeze(world, step.left);
  }
}

function runMap(world: World, original: Step & { op: 'mmap' }): void {
  const { t, proc, fd } = world;
  let step = original;
  if (step.source === 'linear') {
    // As aligned as the range allows, so that superpages appear.
    const page = (step.from - BORDER) & (SPAN_PAGES - 1);
    step = { ...step, page, pages: Math.min(step.pages, LINEAR_PAGES - page) };
  }
  const flags = {
    anonymous: ANON,
    shared: M.MAP_SHARED | M.MAP_ANONYMOUS,
    linear: M.MAP_SHARED,
  }[step.source];
  const [at, size] = [step.from * PAGE_SIZE, step.pages * PAGE_SIZE];
  const offset = step.source === 'linear' ? step.page * PAGE_SIZE : 0;
  const code = sysMmap(t.cpu, proc, at, size, step.prot, flags | FIXED, fd, offset);
  if (code !== -ENOMEM) expect(code).toBe(at);
  settle(world, `mmap ${step.source}`, Math.min(code, 0), modelMap(world, step));
}

function runProtect(world: World, step: Step & { op: 'mprotect' }): void {
  const { t, proc } = world;
  const [at, size] = [step.from * PAGE_SIZE, step.pages * PAGE_SIZE];
  const code = sysMprotect(t.cpu, proc, at, size, step.prot);
  const first = step.from - LOW;
  const after = copyPages(world.pages);
  let mapped = 0;
  for (; mapped < step.pages && after[first + mapped] !== null; mapped++) {
    (after[first + mapped] as Page).prot = step.prot;
  }
  const expected = mapped === step.pages ? 0 : -ENOMEM;
  if (code !== -ENOMEM) expect(code).toBe(expected);
  const what = expected === 0 ? `mprotect ${code}` : 'mprotect hole';
  world.seen.set(what, (world.seen.get(what) ?? 0) + 1);
  // What lies before the hole is applied; when memory runs out, whole areas from the first on.
  for (; code === -ENOMEM && world.held.length > 0 && mapped > 0; mapped--) {
    if (difference(world, after) === '') break;
    const page = world.pages[first + mapped - 1] as Page;
    (after[first + mapped - 1] as Page).prot = page.prot;
  }
  expect(difference(world, after)).toBe('');
  world.pages = after;
}

function touch(world: World, vpn: number, write: boolean): void {
  const { t, space, seen } = world;
  const page = world.pages[vpn - LOW] as Page | null;
  const outcome = handleFault(t.cpu, space, vpn, write);
  seen.set(`fault ${outcome}`, (seen.get(`fault ${outcome}`) ?? 0) + 1);
  if (page === null) return expect(outcome).toBe(FAULT_MAPERR);
  const needed = write ? M.PROT_WRITE : RW | M.PROT_EXEC;
  if ((page.prot & needed) === 0) return expect(outcome).toBe(FAULT_ACCERR);
  if (outcome === FAULT_NO_MEMORY && world.held.length > 0) return;
  expect(outcome).toBe(FAULT_DONE);
  const entry = peekEntry(t.cpu, space, vpn);
  const within = (entry & pte.PTE_S) !== 0 ? vpn & (SPAN_PAGES - 1) : 0;
  const word = frameWord(t.machine, pte.pfnOf(entry) + within);
  if (page.value === null && page.source !== 'linear') page.value = t.machine.words[word] as number;
  if (page.source === 'anonymous' && page.value === 0) {
    expect(t.machine.words.subarray(word, word + 1024).every((value) => value === 0)).toBe(true);
  }
  if (!write) return;
  const value = world.nextValue++;
  t.machine.words[word] = value;
  if (page.source === 'linear') world.linear[page.linear] = value;
  else page.value = value;
}

const prot: fc.Arbitrary<number> = fc.constantFrom(
  M.PROT_NONE,
  M.PROT_READ,
  RW,
  RW,
  M.PROT_EXEC,
  M.PROT_WRITE,
);
/** Pages near a border of 4 MiB, and how far a range goes from there. */
const range = fc
  .tuple(
    fc.integer({ min: -2, max: 2 }),
    fc.integer({ min: -3, max: 3 }),
    fc.oneof(
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(SPAN_PAGES, 2 * SPAN_PAGES, SPAN_PAGES + 1),
    ),
  )
  .map(([span, offset, pages]) => {
    const from = BORDER + span * SPAN_PAGES + offset;
    return { from, pages: Math.min(pages, HIGH - from) };
  });
const source = fc.constantFrom<Page['source']>('anonymous', 'anonymous', 'shared', 'linear');
const mark = fc.constantFrom<readonly [number, number]>(
  [S.SYS_MADVISE, M.MADV_DONTFORK],
  [S.SYS_MADVISE, M.MADV_DOFORK],
  [S.SYS_MLOCK2, M.MLOCK_ONFAULT],
  [S.SYS_MUNLOCK, 0],
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(range, prot, source)
      .map(([at, p, s]): Step => ({ op: 'mmap', ...at, prot: p, source: s, page: 0 })),
  },
  { weight: 3, arbitrary: range.map((at): Step => ({ op: 'munmap', ...at })) },
  {
    weight: 6,
    arbitrary: fc.tuple(range, prot).map(([at, p]): Step => ({ op: 'mprotect', ...at, prot: p })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(range, mark)
      .map(([at, [call, how]]): Step => ({ op: 'mark', ...at, call, how })),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(range, fc.boolean())
      .map(([at, write]): Step => ({ op: 'touch', ...at, write })),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(0, 1, 2, 3, 5, 8, 2000)
      .map((left): Step => ({ op: 'squeeze', left })),
  },
);

function runAll(protocol: LockingProtocolName, steps: readonly Step[], seen: Map<string, number>) {
  const world = newWorld(protocol, seen);
  const { t, pid, proc, space } = world;
  for (const one of steps) runStep(world, one);
  squeeze(world, Infinity);
  expect(sysMunmap(t.cpu, proc, 0, 2 * BORDER * PAGE_SIZE)).toBe(0);
  quiesce(t);
  expect(difference(world, new Array<null>(HIGH - LOW).fill(null))).toBe('');
  // Only the root is left: the others were freed after their grace period.
  expect(peek(t.cpu.words, space + SPACE.TABLES)).toBe(1);
  expect(frameUsage(t.machine).tables).toBe(1);
  exitProcess(t.cpu, pid, 0, 0, 0);
  releaseProcess(t.cpu, pid);
  quiesce(t);
  expectClean(t);
  // Frames of mapping records stay for the next mapping.
  const { words, recordDir } = t.machine;
  const records = words
    .subarray(recordDir, recordDir + RECORD.DIRECTORY_WORDS)
    .filter((pfn) => pfn !== 0);
  expect(frameUsage(t.machine).used).toBe(records.length);
}

/** The page table under `protocol` equals the model, also where memory runs out. */
export function comparePageTable(protocol: LockingProtocolName): void {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 40 }), (steps) =>
      runAll(protocol, steps, seen),
    ),
    { seed: SEED, numRuns: RUNS },
  );
  let exhausted = 0;
  for (const what of ['mmap anonymous', 'mmap linear', 'munmap', 'mprotect']) {
    expect(seen.get(`${what} 0`) ?? 0, what).toBeGreaterThan(5);
    exhausted += seen.get(`${what} ${-ENOMEM}`) ?? 0;
  }
  expect(exhausted).toBeGreaterThan(10);
  expect(seen.get('mark 0') ?? 0).toBeGreaterThan(5);
  for (const code of [FAULT_DONE, FAULT_MAPERR, FAULT_ACCERR, FAULT_NO_MEMORY]) {
    expect(seen.get(`fault ${code}`) ?? 0, `fault ${code}`).toBeGreaterThan(5);
  }
}
