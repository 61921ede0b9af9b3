/**
 * Goal: what the page shows of a machine is what is there. Method: processes with memory of each
 * kind, compared with what the kernel itself reports; and a reader that is given garbage.
 */
import { describe, expect, it } from 'vitest';
import { handleFault } from '../../kernel/faults/fault.ts';
import { formatMaps } from '../../kernel/reports/maps.ts';
import { forkSpace } from '../../kernel/lifecycle/fork.ts';
import { frameField } from '../../kernel/machine/machine.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import * as M from '../../shared/abi/mman.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { bytesOf, vpnOf } from '../../shared/units.ts';
import { accessPath, momentOf } from '../../web/hand/fault-path.ts';
import { areasIn } from '../../web/read/areas.ts';
import { describeEntry, runsOf, walkSteps } from '../../web/read/entries.ts';
import { describeFrame } from '../../web/read/frame-facts.ts';
import { FrameOwners } from '../../web/read/frame-owners.ts';
import { processRow, processRows, spacesOf } from '../../web/read/processes.ts';
import type { ProcessRow } from '../../web/read/processes.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const PRIVATE = M.MAP_PRIVATE | M.MAP_ANONYMOUS;
const SHARED = M.MAP_SHARED | M.MAP_ANONYMOUS;
const RW = M.PROT_READ | M.PROT_WRITE;

interface Made {
  readonly pid: number;
  readonly proc: number;
  readonly space: number;
}

/** Maps `pages` and writes to the first of them; the address. */
function mapAndWrite(t: TestMachine, made: Made, pages: number, flags: number): number {
  const at = sysMmap(t.cpu, made.proc, 0, bytesOf(pages), RW, flags, -1, 0);
  expect(at).toBeGreaterThan(0);
  expect(handleFault(t.cpu, made.space, vpnOf(at), true)).toBe(0);
  return at;
}

function rowOf(t: TestMachine, pid: number): ProcessRow {
  const row = processRow(t.machine, pid);
  if (row === null) throw new Error('no such process');
  return row;
}

describe('the reader', () => {
  it('finds the areas that maps prints, and counts their pages', () => {
    const t = testMachine();
    const made = testProcess(t);
    mapAndWrite(t, made, 2000, PRIVATE);
    mapAndWrite(t, made, 3, SHARED);
    const at = mapAndWrite(t, made, 8, PRIVATE);
    expect(sysMprotect(t.cpu, made.proc, at, bytesOf(4), M.PROT_READ)).toBe(0);
    const { root, space, resident } = rowOf(t, made.pid);
    const areas = areasIn(t.machine, space, root);
    const lines = (formatMaps(t.cpu, made.pid, new Map()) as string).trim().split('\n');
    const shown = areas.map(({ startVpn, endVpn, permissions }) => {
      const [from, to] = [startVpn, endVpn].map((vpn) => bytesOf(vpn).toString(16));
      return `${from}-${to} ${permissions}`;
    });
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(shown);
    expect(areas.reduce((sum, area) => sum + area.resident, 0)).toBe(resident);
    for (const { startVpn, endVpn, pages } of areas) {
      const counted = Object.values(pages).reduce((sum, count) => sum + count, 0);
      expect(counted).toBe(endVpn - startVpn);
    }
    expect(new Set(areas.map(({ backend }) => backend))).toEqual(new Set(['anonymous', 'memory']));
    expectClean(t);
  });

  it('follows a page from the table to its frame and back', () => {
    const t = testMachine();
    const made = testProcess(t);
    const at = mapAndWrite(t, made, 16, PRIVATE);
    const { root } = rowOf(t, made.pid);
    const steps = walkSteps(t.machine, root, vpnOf(at));
    expect(steps.map(({ level }) => level)).toEqual([2, 1, 0]);
    const entry = steps[2]?.entry ?? 0;
    const pfn = entry >>> 12;
    expect(describeEntry(entry)).toBe(`page rw- accessed dirty, frame ${pfn}`);
    const owners = new FrameOwners(t.machine);
    owners.refresh();
    expect(owners.pids[pfn]).toBe(made.pid);
    expect(owners.usesOf(pfn)).toEqual([{ pid: made.pid, vpn: vpnOf(at) }]);
    const { text } = describeFrame({ machine: t.machine, owners }, pfn);
    expect(text).toContain('in use, 1 references, mapped by 1');
    const kinds = runsOf(t.machine, steps[2]?.table ?? 0).map(({ kind, count }) => [kind, count]);
    expect(kinds).toEqual([
      ['page', 1],
      ['lazy', 15],
    ]);
    expectClean(t);
  });

  it('sees a frame that fork has shared in both spaces', () => {
    const t = testMachine();
    const [parent, child] = [testProcess(t), testProcess(t)];
    const at = mapAndWrite(t, parent, 1, PRIVATE);
    expect(forkSpace(t.cpu, parent.space, child.space)).toBe(0);
    const owners = new FrameOwners(t.machine);
    owners.refresh();
    const step = walkSteps(t.machine, rowOf(t, child.pid).root, vpnOf(at)).at(-1);
    expect(describeEntry(step?.entry ?? 0)).toContain('copy-on-write r--');
    expect(owners.mappers[(step?.entry ?? 0) >>> 12]).toBe(2);
    expect(spacesOf(processRows(t.machine)).map(({ pid }) => pid)).toEqual([parent.pid, child.pid]);
    expectClean(t);
  });

  it('never throws, whatever is in the words', () => {
    const t = testMachine({ frames: 512 });
    const made = testProcess(t);
    mapAndWrite(t, made, 700, PRIVATE);
    const { machine } = t;
    const { root } = rowOf(t, made.pid);
    const junk = [-1, 1, 0x7fffffff, 0x12345678, machine.words.length];
    for (const value of junk) {
      for (const field of [SPACE.AREA_ROOT, SPACE.ROOT])
        poke(machine.words, made.space + field, value);
      poke(machine.words, machine.frameBase + root * 1024 + 5, (value << 12) | 1);
      poke(machine.words, made.proc + PROCESS.SPACE, value);
      const owners = new FrameOwners(machine);
      for (const row of processRows(machine)) {
        areasIn(machine, row.space, row.root);
        walkSteps(machine, row.root, 0x3fffffff);
        runsOf(machine, row.root);
      }
      owners.refresh();
      for (let pfn = 0; pfn < machine.frames; pfn++) describeFrame({ machine, owners }, pfn);
    }
  });
});

describe('the way of an access', () => {
  function write(t: TestMachine, made: Made, at: number): readonly string[] {
    const before = momentOf(t.machine, made.pid, at);
    const failed = handleFault(t.cpu, made.space, vpnOf(at), true) !== 0;
    const error = failed ? 'SIGSEGV' : null;
    const after = momentOf(t.machine, made.pid, at);
    return accessPath(before, after, true, error).map(({ text }) => text);
  }

  it('of a first write goes by a zeroed frame, and of a second without a fault', () => {
    const t = testMachine();
    const made = testProcess(t);
    const at = sysMmap(t.cpu, made.proc, 0, bytesOf(4), RW, PRIVATE, -1, 0);
    const path = write(t, made, at);
    expect(path).toContain(
      'The kernel looks at the entry: never used: the page gets a zeroed frame of its own',
    );
    expect(path.some((text) => text.startsWith('The entry is now: page rw-'))).toBe(true);
    expect(write(t, made, at).at(-1)).toMatch(/no fault/);
    expectClean(t);
  });

  it('of a refused write says why', () => {
    const t = testMachine();
    const made = testProcess(t);
    const at = sysMmap(t.cpu, made.proc, 0, bytesOf(4), M.PROT_READ, PRIVATE, -1, 0);
    expect(write(t, made, at).slice(-2)).toEqual([
      'The kernel looks at the entry: the area does not permit it',
      'The fault is refused: SIGSEGV',
    ]);
    expect(write(t, made, at + bytesOf(100)).at(-2)).toMatch(/nothing is mapped there/);
    expectClean(t);
  });

  it('of a write after fork is told as copy-on-write', () => {
    const t = testMachine();
    const [parent, child] = [testProcess(t), testProcess(t)];
    const at = mapAndWrite(t, parent, 1, PRIVATE);
    expect(forkSpace(t.cpu, parent.space, child.space)).toBe(0);
    expect(write(t, child, at).join()).toMatch(/copy-on-write: the frame is copied/);
    const pfn =
      (walkSteps(t.machine, rowOf(t, parent.pid).root, vpnOf(at)).at(-1)?.entry ?? 0) >>> 12;
    expect(peek(t.machine.words, frameField(t.machine, pfn, FRAME.COUNT))).toBe(1);
    expectClean(t);
  });
});
