/*
 * Goal: a TLB hits exactly on what it holds, applies every invalidation, and no acknowledgement is
 * taken for another's. Method: one thread plays the CPU that invalidates and the one that catches
 * up.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import type { Cpu } from '../../kernel/machine/cpu.ts';
import { enterUser, leaveKernel, leaveUser } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { walk } from '../../kernel/mmu/walk.ts';
import { resumeUser } from '../../kernel/mmu/user-mode.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { pokeSpace, shootDown } from '../../kernel/paging/shootdown.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { TLB_SLOTS, Tlb, tlbFill, tlbFlushAll, tlbFlushPage } from '../../kernel/machine/tlb.ts';
import { acknowledge, tlbAudit, tlbCatchUp } from '../../kernel/mmu/tlb-sync.ts';
import { load, peek, store } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE, TLB_FLUSH_ALL_PAGES, TLB_RING } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = M.PROT_READ | M.PROT_WRITE;
const ANON = M.MAP_PRIVATE | M.MAP_ANONYMOUS;

/** The rule by which an access of `width` bytes hits: see the head of tlb.ts. */
function hits(bases: Float64Array, address: number, width: number): boolean {
  const slot = Math.floor(address / PAGE_SIZE) & (TLB_SLOTS - 1);
  const offset = address - (bases[slot] as number);
  return offset >= 0 && offset <= PAGE_SIZE - width && offset % width === 0;
}

describe('translations', () => {
  const far = 2 ** 30 - 1;

  it('hits on aligned addresses within the page only', () => {
    const tlb = new Tlb();
    for (const vpn of [0, 5, TLB_SLOTS + 7, far]) tlbFill(tlb, vpn, 1000, false);
    for (const vpn of [0, 5, TLB_SLOTS + 7, far]) {
      const base = vpn * PAGE_SIZE;
      for (const offset of [0, 4, PAGE_SIZE - 4]) {
        expect(hits(tlb.readBase, base + offset, 4)).toBe(true);
        expect(hits(tlb.writeBase, base + offset, 4)).toBe(false);
      }
      for (const offset of [1, 2, 3, 4.5, PAGE_SIZE - 2]) {
        expect(hits(tlb.readBase, base + offset, 4)).toBe(false);
      }
      expect(hits(tlb.readBase, base + PAGE_SIZE, 4)).toBe(false);
    }
  });

  it('never hits on what is no address', () => {
    const tlb = new Tlb();
    for (let vpn = 0; vpn < TLB_SLOTS; vpn++) tlbFill(tlb, vpn, 1, true);
    const size = TLB_SLOTS * PAGE_SIZE;
    for (const bad of [NaN, -4, -PAGE_SIZE, 0.5, Infinity, -Infinity, size, 2 ** 42, 2 ** 53]) {
      for (const width of [1, 2, 4]) {
        expect(hits(tlb.readBase, bad, width)).toBe(false);
        expect(hits(tlb.writeBase, bad, width)).toBe(false);
      }
    }
    const empty = new Tlb();
    expect(hits(empty.readBase, 0, 1)).toBe(false);
    expect(hits(empty.readBase, NaN, 1)).toBe(false);
  });

  it('keeps a write translation through a read, and drops it for another page', () => {
    const tlb = new Tlb();
    tlbFill(tlb, 5, 1000, true);
    tlbFill(tlb, 5, 1000, false);
    expect(hits(tlb.writeBase, 5 * PAGE_SIZE, 4)).toBe(true);
    tlbFill(tlb, 5 + TLB_SLOTS, 2000, false);
    expect(hits(tlb.writeBase, 5 * PAGE_SIZE, 4)).toBe(false);
    expect(hits(tlb.writeBase, (5 + TLB_SLOTS) * PAGE_SIZE, 4)).toBe(false);
    expect(hits(tlb.readBase, 5 * PAGE_SIZE, 4)).toBe(false);
    expect(tlb.frameAt[5]).toBe(2000);
  });

  it('lists each slot once, however often it is filled and flushed', () => {
    const tlb = new Tlb();
    for (let i = 0; i < 3 * TLB_SLOTS; i++) {
      tlbFill(tlb, 7, i, i % 2 === 0);
      tlbFlushPage(tlb, 7);
      expect(hits(tlb.readBase, 7 * PAGE_SIZE, 4)).toBe(false);
    }
    expect(tlb.filledCount).toBe(1);
    tlbFill(tlb, 7, 1, false);
    // Another page of the same slot is not there, and its flush leaves this one.
    tlbFlushPage(tlb, 7 + TLB_SLOTS);
    expect(hits(tlb.readBase, 7 * PAGE_SIZE, 4)).toBe(true);
    tlbFlushAll(tlb);
    expect(hits(tlb.readBase, 7 * PAGE_SIZE, 4)).toBe(false);
    expect(tlb.filledCount).toBe(0);
  });
});

let t: TestMachine;
let user: Cpu;
let pid: number;
let proc: number;
let space: number;
let vpn: number;

/** CPU 1 is idle and has translations of 64 pages, all for writing. */
beforeEach(() => {
  t = testMachine();
  user = t.cpus[1] as Cpu;
  ({ pid, proc, space } = testProcess(t));
  const at = sysMmap(t.cpu, proc, 0, 64 * PAGE_SIZE, RW, ANON, -1, 0);
  vpn = at / PAGE_SIZE;
  goUser();
  for (let i = 0; i < 64; i++) {
    expect(handleFault(t.cpu, space, vpn + i, true)).toBe(FAULT_DONE);
    expect(walk(user, user.tlb, vpn + i, true)).toBe(true);
  }
  leaveUser(user);
});

function goUser(): void {
  enterKernel(user);
  resumeUser(user, user.tlb, space);
}

function held(): number[] {
  return [...Array(64).keys()].filter((i) => hits(user.tlb.readBase, (vpn + i) * PAGE_SIZE, 4));
}

describe('catching up', () => {
  it('drops exactly the pages of the shootdowns that the ring still tells', () => {
    shootDown(t.cpu, space, vpn + 3, 2);
    shootDown(t.cpu, space, vpn + 60, 1);
    expect(held()).toHaveLength(64);
    tlbCatchUp(user, user.tlb);
    expect(held()).toHaveLength(61);
    expect(held()).not.toContain(3);
    expect(held()).not.toContain(4);
    expect(held()).not.toContain(60);
    expect(user.tlb.generation).toBe(peek(user.words, space + SPACE.TLB_GEN));
  });

  it.each([
    ['a range of many pages', TLB_FLUSH_ALL_PAGES + 1, 1],
    ['more shootdowns than the ring holds', 1, TLB_RING],
    ['very many shootdowns', 1, 5 * TLB_RING + 3],
  ])('flushes everything after %s', (_name, pages, times) => {
    for (let i = 0; i < times; i++) shootDown(t.cpu, space, vpn, pages);
    tlbCatchUp(user, user.tlb);
    expect(held()).toEqual([]);
  });

  it('still works page by page one shootdown before the ring overflows', () => {
    for (let i = 0; i < TLB_RING - 1; i++) shootDown(t.cpu, space, vpn + i, 1);
    tlbCatchUp(user, user.tlb);
    expect(held()).toHaveLength(64 - (TLB_RING - 1));
  });

  it('flushes everything when a record is being written', () => {
    // The generation is ahead, its record is still that of TLB_RING shootdowns before.
    for (let i = 0; i < TLB_RING; i++) pokeSpace(t.cpu, space);
    tlbCatchUp(user, user.tlb);
    for (let i = 0; i < 64; i++) expect(walk(user, user.tlb, vpn + i, true)).toBe(true);
    store(user.words, space + SPACE.TLB_GEN, peek(user.words, space + SPACE.TLB_GEN) + 1);
    tlbCatchUp(user, user.tlb);
    expect(held()).toEqual([]);
  });

  it.each([2 ** 31 - 3, -2, -(2 ** 31)])('counts on past a wrap of the generation: %d', (from) => {
    store(user.words, space + SPACE.TLB_GEN, from);
    user.tlb.generation = from | 0;
    for (let i = 0; i < 6; i++) shootDown(t.cpu, space, vpn + i, 1);
    expect(peek(user.words, space + SPACE.TLB_GEN)).toBe((from + 6) | 0);
    tlbCatchUp(user, user.tlb);
    expect(held()).toHaveLength(58);
    for (let i = 0; i < TLB_RING; i++) shootDown(t.cpu, space, vpn + 10, 1);
    tlbCatchUp(user, user.tlb);
    expect(held()).toEqual([]);
  });

  it('waits for the acknowledgement of a CPU across a wrap of the generation', () => {
    store(user.words, space + SPACE.TLB_GEN, 2 ** 31 - 1);
    user.tlb.generation = 2 ** 31 - 1;
    goUser();
    // Acknowledged in advance, so that the initiator, on the same thread, need not wait.
    store(user.words, user.base + CPU.ACK, (2 ** 31) | 0);
    shootDown(t.cpu, space, vpn, 1);
    expect(load(user.words, user.base + CPU.MODE) & CPU.MODE_MASK).toBe(CPU.MODE_USER);
    leaveUser(user);
  });

  it('drops what munmap and mprotect took, before the program runs on', () => {
    expect(sysMunmap(t.cpu, proc, vpn * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(sysMprotect(t.cpu, proc, (vpn + 1) * PAGE_SIZE, PAGE_SIZE, M.PROT_READ)).toBe(0);
    goUser();
    expect(hits(user.tlb.readBase, vpn * PAGE_SIZE, 4)).toBe(false);
    expect(hits(user.tlb.writeBase, (vpn + 1) * PAGE_SIZE, 4)).toBe(false);
    expect(walk(user, user.tlb, vpn, false)).toBe(false);
    expect(walk(user, user.tlb, vpn + 1, true)).toBe(false);
    expect(walk(user, user.tlb, vpn + 1, false)).toBe(true);
    leaveUser(user);
    expect(tlbAudit(user, user.tlb)).toEqual([]);
    expectClean(t);
  });
});

describe('changing spaces', () => {
  it('keeps nothing of a space whose block another one took over', () => {
    const id = user.tlb.spaceId;
    exitProcess(t.cpu, pid, 0, 0, 0);
    releaseProcess(t.cpu, pid);
    const next = testProcess(t);
    expect(next.space).toBe(space);
    expect(peek(user.words, space + SPACE.ID)).not.toBe(id);
    expect(tlbAudit(user, user.tlb)).toEqual([]);
    goUser();
    expect(held()).toEqual([]);
    expect(user.tlb.spaceId).not.toBe(id);
    leaveUser(user);
  });

  it('does not pass the acknowledgement of one space for another’s', () => {
    const other = testProcess(t);
    for (let i = 0; i < 9; i++) pokeSpace(t.cpu, space);
    goUser();
    const high = peek(user.words, user.base + CPU.ACK);
    expect(high).toBeGreaterThanOrEqual(9);
    enterKernel(user);
    resumeUser(user, user.tlb, other.space);
    expect(peek(user.words, user.base + CPU.ACK)).toBe(0);
    leaveUser(user);
    // And back: the acknowledgement in the word is then the other space's again.
    goUser();
    expect(peek(user.words, user.base + CPU.ACK)).toBe(high);
    leaveUser(user);
  });

  it('asks only CPUs in user mode of that space', () => {
    const other = testProcess(t);
    const targets = () => peek(t.cpu.words, t.cpu.base + CPU.STATS + targetIndex);
    const targetIndex = CPU.STAT_NAMES.indexOf('shootdownTargets');
    const before = targets();
    shootDown(t.cpu, space, vpn, 1);
    enterKernel(user);
    shootDown(t.cpu, space, vpn, 1);
    enterUser(user, other.space);
    shootDown(t.cpu, space, vpn, 1);
    expect(targets()).toBe(before);
    leaveUser(user);
    enterKernel(user);
    leaveKernel(user);
  });
});

describe('the walk', () => {
  const entry = () => peekEntry(t.cpu, space, vpn);

  it('sets A for a read and D for a write, and needs D for a write translation', () => {
    // Shared memory: a page that was only read may be written, unlike the zero page.
    const shared = M.MAP_SHARED | M.MAP_ANONYMOUS;
    const at = sysMmap(t.cpu, proc, 0, PAGE_SIZE, RW, shared, -1, 0);
    vpn = at / PAGE_SIZE;
    goUser();
    expect(walk(user, user.tlb, vpn, false)).toBe(false);
    leaveUser(user);
    expect(handleFault(t.cpu, space, vpn, false)).toBe(FAULT_DONE);
    expect(entry() & (pte.PTE_A | pte.PTE_D)).toBe(pte.PTE_A);
    goUser();
    expect(walk(user, user.tlb, vpn, false)).toBe(true);
    expect(hits(user.tlb.readBase, at, 4)).toBe(true);
    expect(hits(user.tlb.writeBase, at, 4)).toBe(false);
    expect(entry() & pte.PTE_D).toBe(0);
    expect(walk(user, user.tlb, vpn, true)).toBe(true);
    expect(hits(user.tlb.writeBase, at, 4)).toBe(true);
    expect(entry() & pte.PTE_D).toBe(pte.PTE_D);
    acknowledge(user, user.tlb);
    leaveUser(user);
    expect(tlbAudit(user, user.tlb)).toEqual([]);
  });

  it('refuses a page without the permission, and leaves A and D alone', () => {
    expect(sysMprotect(t.cpu, proc, vpn * PAGE_SIZE, PAGE_SIZE, M.PROT_NONE)).toBe(0);
    goUser();
    const before = entry();
    expect(walk(user, user.tlb, vpn, false)).toBe(false);
    expect(walk(user, user.tlb, vpn, true)).toBe(false);
    expect(entry()).toBe(before);
    leaveUser(user);
  });
});
