/*
 * Goal: guards refuse every access where they stand, outlive what is done to their range, and go
 * only by munmap, mmap over them and MADV_GUARD_REMOVE. What Linux answers was found by execution
 * on 6.18.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import { FAULT_ACCERR, FAULT_DONE, FAULT_MAPERR } from '../../kernel/machine/fault-codes.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { forkSpace } from '../../kernel/lifecycle/fork.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { SPAN_PAGES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { Arena, NONE, P, R, RW, SHARED_ANON } from '../support/kernel-arena.ts';
import { expectClean } from '../support/kernel-helpers.ts';

const { MADV_GUARD_INSTALL: INSTALL, MADV_GUARD_REMOVE: REMOVE } = M;

let a: Arena;

beforeEach(() => {
  a = new Arena();
});

describe('a guard', () => {
  it('takes the page away, refuses every access, and leaves zero behind', () => {
    a.map(0, 6);
    for (let i = 0; i < 6; i++) a.write(i, 1);
    const used = frameUsage(a.t.machine).used;
    expect(a.advise(1, 4, INSTALL)).toBe(0);
    expect(frameUsage(a.t.machine).used).toBe(used - 4);
    expect([0, 1, 4, 5].map((i) => a.read(i))).toEqual([1, -FAULT_MAPERR, -FAULT_MAPERR, 1]);
    expect(a.fault(2, true)).toBe(FAULT_MAPERR);
    expectClean(a.t);
    expect(a.advise(0, 6, REMOVE)).toBe(0);
    expect([0, 1, 4, 5].map((i) => a.read(i))).toEqual([1, 0, 0, 1]);
    expectClean(a.t);
  });

  it('comes after the area’s permission, and counts as not in memory', () => {
    a.map(0, 2, NONE);
    expect(a.advise(0, 1, INSTALL)).toBe(0);
    expect([a.fault(0), a.fault(1)]).toEqual([FAULT_ACCERR, FAULT_ACCERR]);
    a.protect(0, 2, R);
    expect([a.fault(0), a.fault(0, true)]).toEqual([FAULT_MAPERR, FAULT_ACCERR]);
    a.protect(0, 2, RW);
    expect([a.fault(0, true), a.fault(1, true)]).toEqual([FAULT_MAPERR, FAULT_DONE]);
    expect(a.mincore(0, 2)).toEqual([0, 1]);
    expectClean(a.t);
  });

  it('outlives DONTNEED, FREE, mprotect and a second installation', () => {
    a.map(0, 4);
    a.write(3, 9);
    expect(a.advise(0, 2, INSTALL)).toBe(0);
    expect(a.advise(0, 2, INSTALL)).toBe(0);
    for (const advice of [M.MADV_DONTNEED, M.MADV_FREE, M.MADV_DONTNEED_LOCKED]) {
      expect(a.advise(0, 4, advice)).toBe(0);
    }
    a.protect(0, 4, R);
    expect([a.read(0), a.read(1), a.read(3)]).toEqual([-FAULT_MAPERR, -FAULT_MAPERR, 0]);
    expectClean(a.t);
  });

  it('goes with its mapping', () => {
    a.map(0, 4);
    expect(a.advise(0, 4, INSTALL)).toBe(0);
    a.unmap(0, 1);
    a.map(1, 1);
    a.map(0, 1);
    expect([a.read(0), a.read(1), a.read(2)]).toEqual([0, 0, -FAULT_MAPERR]);
    expectClean(a.t);
  });

  it('in shared memory hides the page, which stays', () => {
    const fd = a.memfd(4);
    a.map(0, 4, RW, M.MAP_SHARED, fd);
    a.map(8, 4, RW, M.MAP_SHARED, fd);
    a.write(1, 7);
    expect(a.advise(0, 4, INSTALL)).toBe(0);
    expect([a.read(1), a.read(9)]).toEqual([-FAULT_MAPERR, 7]);
    // The page cache has page 1, and since it was read above through the other mapping.
    expect(a.mincore(0, 4)).toEqual([0, 1, 0, 0]);
    expect(a.advise(1, 1, REMOVE)).toBe(0);
    expect(a.read(1)).toBe(7);
    expectClean(a.t);
  });

  it('stays where the file was cut off and grew again', () => {
    const fd = a.memfd(4);
    a.map(0, 4, RW, M.MAP_SHARED, fd);
    for (let i = 0; i < 4; i++) a.write(i, 5);
    expect(a.advise(2, 1, INSTALL)).toBe(0);
    expect(a.call(S.SYS_FTRUNCATE, fd, P)).toBe(0);
    expect(a.call(S.SYS_FTRUNCATE, fd, 4 * P)).toBe(0);
    expect([0, 1, 2, 3].map((i) => a.read(i))).toEqual([5, 0, -FAULT_MAPERR, 0]);
    expectClean(a.t);
  });

  it('of a whole span is one entry, divided where it is removed', () => {
    a.map(3, SPAN_PAGES);
    const tables = frameUsage(a.t.machine).tables;
    expect(a.advise(3, SPAN_PAGES, INSTALL)).toBe(0);
    expect(frameUsage(a.t.machine).tables).toBe(tables);
    expect(a.read(600)).toBe(-FAULT_MAPERR);
    expect(frameUsage(a.t.machine).tables).toBe(tables);
    expect(a.advise(600, 1, REMOVE)).toBe(0);
    expect(frameUsage(a.t.machine).tables).toBe(tables + 1);
    expect([a.read(599), a.read(600), a.read(601)]).toEqual([-FAULT_MAPERR, 0, -FAULT_MAPERR]);
    expectClean(a.t);
  });

  it('is the child’s too after fork, a whole span of them as well', () => {
    a.map(0, 2 * SPAN_PAGES);
    a.write(1, 3);
    for (const [page, pages] of [
      [0, 1],
      [3, SPAN_PAGES],
    ] as const) {
      // prettier-ignore
      expect(a.advise(page, pages, INSTALL)).toBe(0);
    }
    const pid = createProcess(a.cpu, { name: 'child', cpu: 0, parent: a.pid });
    const child = peek(a.cpu.words, processOf(a.t.machine, pid) + PROCESS.SPACE);
    expect(forkSpace(a.cpu, a.space, child)).toBe(0);
    const outcomes = [0, 1, 2, 3, SPAN_PAGES + 2, SPAN_PAGES + 3].map((page) => {
      return handleFault(a.cpu, child, a.vpn + page, false);
    });
    const refused = FAULT_MAPERR;
    expect(outcomes).toEqual([refused, FAULT_DONE, FAULT_DONE, refused, refused, FAULT_DONE]);
    expectClean(a.t);
  });

  it.each(PROTOCOL_NAMES)('is installed over touched pages under %s', (protocol) => {
    a = new Arena({ protocol });
    a.map(0, 6);
    for (let i = 0; i < 6; i++) a.write(i, 1);
    expect(a.advise(2, 3, INSTALL)).toBe(0);
    expect(a.read(3)).toBe(-FAULT_MAPERR);
    expect(a.advise(3, 1, REMOVE)).toBe(0);
    expect(a.read(3)).toBe(0);
    expectClean(a.t);
  });
});

describe('the installation', () => {
  it('goes on over holes and tells of them', () => {
    a.map(0, 1);
    a.map(2, 1);
    expect(a.advise(0, 3, INSTALL)).toBe(-E.ENOMEM);
    expect([a.read(0), a.read(2)]).toEqual([-FAULT_MAPERR, -FAULT_MAPERR]);
    expectClean(a.t);
  });

  it('is possible in shared and in read-only memory', () => {
    a.map(0, 1, RW, SHARED_ANON);
    a.map(1, 1, R);
    expect(a.advise(0, 2, INSTALL)).toBe(0);
    expect(a.advise(0, 2, REMOVE)).toBe(0);
    expectClean(a.t);
  });
});
