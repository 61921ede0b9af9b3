/*
 * Goal: the kernel's copies to and from user memory fault, refuse and stop like the program's own
 * accesses. Method: copies around mappings of each kind, and what is there afterwards.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import type { Cpu } from '../../kernel/machine/cpu.ts';
import { openFd } from '../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { WAIT_PAGE } from '../../kernel/machine/wait-codes.ts';
import { releaseFaultObject } from '../../kernel/faults/object-fault.ts';
import { copyFromUser, copyToUser } from '../../kernel/mmu/user-copy.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const P = PAGE_SIZE;
const RW = M.PROT_READ | M.PROT_WRITE;
const BASE = 16 * 2 ** 20;
const ANON = M.MAP_PRIVATE | M.MAP_ANONYMOUS;

let t: TestMachine;
let cpu: Cpu;
let proc: number;
let space: number;

beforeEach(() => {
  t = testMachine();
  cpu = t.cpu;
  ({ proc, space } = testProcess(t));
});

function map(page: number, pages: number, prot: number, flags: number = ANON, fd = -1): void {
  const at = BASE + page * P;
  expect(sysMmap(cpu, proc, at, pages * P, prot, flags | M.MAP_FIXED, fd, 0)).toBe(at);
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + 3) & 0xff);
}

function readBack(address: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  expect(copyFromUser(cpu, space, address, target)).toBe(length);
  return target;
}

describe('user copy', () => {
  it('carries bytes over page borders at any alignment', () => {
    map(0, 4, RW);
    for (const [offset, length] of [
      [0, 3 * P],
      [1, 2 * P + 5],
      [P - 1, 2],
      [4095, P + 2],
      [77, 0],
    ] as const) {
      const source = bytes(length);
      expect(copyToUser(cpu, space, BASE + offset, source)).toBe(length);
      expect(readBack(BASE + offset, length)).toEqual(source);
    }
    expectClean(t);
  });

  it('sets D where it writes and only A where it reads', () => {
    map(0, 2, RW);
    copyToUser(cpu, space, BASE, bytes(10));
    readBack(BASE + P, 10);
    expect(peekEntry(cpu, space, BASE / P) & pte.PTE_D).not.toBe(0);
    expect(peekEntry(cpu, space, BASE / P + 1) & (pte.PTE_D | pte.PTE_A)).toBe(pte.PTE_A);
    expectClean(t);
  });

  it('stops at the first page that refuses, and says how far it came', () => {
    map(0, 1, RW);
    map(1, 1, M.PROT_READ);
    expect(copyToUser(cpu, space, BASE + P - 10, bytes(20))).toBe(10);
    expect(copyFromUser(cpu, space, BASE + 2 * P - 10, new Uint8Array(20))).toBe(10);
    expect(copyToUser(cpu, space, BASE + P, bytes(1))).toBe(0);
    expect(copyToUser(cpu, space, 0, bytes(1))).toBe(0);
    map(3, 1, M.PROT_NONE);
    expect(copyFromUser(cpu, space, BASE + 3 * P, new Uint8Array(1))).toBe(0);
    expectClean(t);
  });

  it('takes nothing that is no user range', () => {
    map(0, 1, RW);
    for (const address of [-1, 0.5, NaN, Infinity, USER_SPACE_END - 1, 2 ** 60]) {
      expect(copyToUser(cpu, space, address, bytes(2))).toBe(0);
      expect(copyFromUser(cpu, space, address, bytes(2))).toBe(0);
    }
    expectClean(t);
  });

  it('breaks copy on write, waits for pages of files, and refuses devices', () => {
    const open = (kind: number): number => {
      const object = createObject(cpu, { kind, size: P, host: 1, writable: true });
      const fd = openFd(cpu, proc, object, M.O_RDWR);
      putObject(cpu, object);
      return fd;
    };
    map(0, 1, RW, M.MAP_SHARED, open(OBJECT.LINEAR));
    copyToUser(cpu, space, BASE, bytes(P));
    expect(readBack(BASE, P)).toEqual(bytes(P));
    map(1, 1, RW, M.MAP_PRIVATE, open(OBJECT.FILE));
    expect(copyFromUser(cpu, space, BASE + P, new Uint8Array(1))).toBe(-WAIT_PAGE);
    expect(cpu.faultPage).toBe(0);
    releaseFaultObject(cpu, cpu.faultObject);
    map(2, 1, RW, M.MAP_SHARED, open(OBJECT.DEVICE));
    expect(copyFromUser(cpu, space, BASE + 2 * P, new Uint8Array(1))).toBe(0);
    expect(copyToUser(cpu, space, BASE + 2 * P, new Uint8Array(1))).toBe(0);
    expectClean(t);
  });
});
