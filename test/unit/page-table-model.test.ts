/**
 * Goal: the page table equals its model under the default protocol (test/property has the others),
 * and keeps what only a race or a failure in the middle could break.
 */
import { describe, expect, it } from 'vitest';

import { Cursor } from '../../kernel/machine/cursor.ts';
import { openFd } from '../../kernel/objects/fd.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_ACCERR, FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { DEFAULT_PROTOCOL, PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { openAtRoot } from '../../kernel/paging/covering.ts';
import { frameField } from '../../kernel/machine/machine.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { protectRange } from '../../kernel/paging/map-range.ts';
import { walk } from '../../kernel/mmu/walk.ts';
import { closeRange } from '../../kernel/paging/range-op.ts';
import { openRange } from '../../kernel/space/open-range.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { peekEntry, pushDown, seek } from '../../kernel/paging/table.ts';
import { tlbAudit } from '../../kernel/mmu/tlb-sync.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import { comparePageTable } from '../support/page-table-model.ts';

it('equals the model, also where memory runs out', () => comparePageTable(DEFAULT_PROTOCOL));

const RW = M.PROT_READ | M.PROT_WRITE;
const ANON = M.MAP_PRIVATE | M.MAP_ANONYMOUS;
const FIXED = M.MAP_FIXED;
const BORDER = 2 ** 20;
const LINEAR_PAGES = 1024;

describe('what only a race or a failure shows', () => {
  it('flushes a permission that a rolled-back operation had granted for a moment', () => {
    const t = testMachine();
    const { cpu } = t;
    const other = t.cpus[1] as (typeof t.cpus)[0];
    const { proc, space } = testProcess(t);
    const at = BORDER * PAGE_SIZE;
    expect(sysMmap(cpu, proc, at, PAGE_SIZE, RW, ANON | FIXED, -1, 0)).toBe(at);
    expect(handleFault(cpu, space, BORDER, true)).toBe(FAULT_DONE);
    expect(sysMprotect(cpu, proc, at, PAGE_SIZE, M.PROT_READ)).toBe(0);
    other.tlb.space = space;
    other.tlb.spaceId = peek(cpu.words, space + SPACE.ID);
    other.tlb.generation = peek(cpu.words, space + SPACE.TLB_GEN);
    const { protocol } = cpu.machine;
    protocol.lockAreas(cpu, space);
    const op = openRange(cpu, space, BORDER, BORDER + 1);
    expect(protectRange(op, BORDER, BORDER + 1, pte.rwxOfProt(RW))).toBe(true);
    expect(walk(other, other.tlb, BORDER, true)).toBe(true);
    expect(op.rollback(0)).toBe(true);
    closeRange(op);
    protocol.unlockAreas(cpu, space);
    expect(tlbAudit(other, other.tlb)).toEqual([]);
    expectClean(t);
  });

  it.each(PROTOCOL_NAMES)('finds a span pushed down by another fault meanwhile: %s', (protocol) => {
    const t = testMachine({ protocol });
    const { cpu } = t;
    const { proc, space } = testProcess(t);
    const size = SPAN_PAGES * PAGE_SIZE;
    sysMmap(cpu, proc, size, size, RW, ANON | FIXED, -1, 0);
    const cursor = new Cursor();
    openAtRoot(cpu, cursor, space, SPAN_PAGES, SPAN_PAGES + 1);
    // The slower of two faults has found this slot when the faster replaces it by a table.
    const at = seek(cpu, cursor, SPAN_PAGES);
    expect(cursor.level).toBe(1);
    expect(handleFault(cpu, space, SPAN_PAGES + 5, true)).toBe(FAULT_DONE);
    const tables = frameUsage(t.machine).tables;
    expect(pushDown(cpu, cursor, at, 1)).toBe(true);
    expect(frameUsage(t.machine).tables).toBe(tables);
    expect(pte.isPresent(peekEntry(cpu, space, SPAN_PAGES + 5))).toBe(true);
    expectClean(t);
  });

  it('splits a superpage for a partial munmap or mprotect, and keeps the rest', () => {
    const t = testMachine();
    const { cpu, machine } = t;
    const { proc, space } = testProcess(t);
    const size = LINEAR_PAGES * PAGE_SIZE;
    const object = createObject(cpu, { kind: OBJECT.LINEAR, size, host: 1, writable: true });
    const fd = openFd(cpu, proc, object, M.O_RDWR);
    putObject(cpu, object);
    const base = peek(cpu.words, object + OBJECT.BASE_PFN);
    const refs = (page: number) => peek(cpu.words, frameField(machine, base + page, FRAME.COUNT));
    expect(sysMmap(cpu, proc, size, size, RW, M.MAP_SHARED | FIXED, fd, 0)).toBe(size);
    const entry = peekEntry(cpu, space, SPAN_PAGES + 7);
    expect(entry & pte.PTE_S).toBe(pte.PTE_S);
    expect(refs(7)).toBe(2);
    const at = (page: number) => size + page * PAGE_SIZE;
    expect(sysMprotect(cpu, proc, at(3), 2 * PAGE_SIZE, M.PROT_READ)).toBe(0);
    expectClean(t);
    expect(peekEntry(cpu, space, SPAN_PAGES + 7) & pte.PTE_S).toBe(0);
    expect(pte.pfnOf(peekEntry(cpu, space, SPAN_PAGES + 7))).toBe(base + 7);
    expect(handleFault(cpu, space, SPAN_PAGES + 3, true)).toBe(FAULT_ACCERR);
    expect(sysMunmap(cpu, proc, at(100), 10 * PAGE_SIZE)).toBe(0);
    expect([refs(99), refs(100), refs(109), refs(110)]).toEqual([2, 1, 1, 2]);
    expectClean(t);
    // A second mapping of the whole object is a superpage again.
    expect(sysMmap(cpu, proc, 4 * size, size, RW, M.MAP_SHARED | FIXED, fd, 0)).toBe(4 * size);
    expect([refs(99), refs(100)]).toEqual([3, 2]);
    expect(sysMunmap(cpu, proc, 0, 8 * size)).toBe(0);
    expect([refs(99), refs(100)]).toEqual([1, 1]);
    expectClean(t);
  });
});
