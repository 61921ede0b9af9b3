/*
 * Goal: MAP_POPULATE, locked memory and MADV_POPULATE_* fault in what Linux would, as far as Linux
 * would, and answer as it does (by execution on 6.18).
 */
import { beforeEach, describe, expect, it } from 'vitest';

import { FAULT_WAIT } from '../../kernel/machine/fault-codes.ts';
import { releaseFaultObject } from '../../kernel/faults/object-fault.ts';
import { beginPageIn, finishPageIn } from '../../kernel/faults/page-in.ts';
import { populate, populateLocked } from '../../kernel/mmu/populate.ts';
import { NO_OBJECT } from '../../kernel/faults/swap-in.ts';
import { openFd } from '../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { WAIT_PAGE } from '../../kernel/machine/wait-codes.ts';
import * as E from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { Arena, NONE, P, R, RW, SHARED_ANON } from '../support/kernel-arena.ts';
import { expectClean } from '../support/kernel-helpers.ts';

const { EFAULT, EINVAL, ENOMEM } = E;
const { MADV_POPULATE_READ: READ, MADV_POPULATE_WRITE: WRITE } = M;

let a: Arena;

beforeEach(() => {
  a = new Arena();
});

/** Populates pages as MAP_POPULATE does; the page where it stopped. */
function populatePages(page: number, pages: number): number {
  return populate(a.cpu, a.proc, a.vpn + page, a.vpn + page + pages) - a.vpn;
}

/** One letter a page: W own and writable, R own, 0 the zero page, - none. */
function state(page: number, pages: number): string {
  let text = '';
  for (let i = page; i < page + pages; i++) {
    const entry = a.entry(i);
    if (!pte.isPresent(entry)) text += '-';
    else if (pte.isZeroPage(entry)) text += '0';
    else text += (entry & pte.PTE_W) !== 0 ? 'W' : 'R';
  }
  return text;
}

/** A host file whose pages must be supplied. */
function hostFile(pages: number): number {
  const spec = { kind: OBJECT.FILE, size: pages * P, host: 1, writable: false };
  const object = createObject(a.cpu, spec);
  const fd = openFd(a.cpu, a.proc, object, M.O_RDONLY);
  putObject(a.cpu, object);
  return fd;
}

function supply(): void {
  const { faultObject, faultPage } = a.cpu;
  expect(finishPageIn(a.cpu, faultObject, faultPage, beginPageIn(a.cpu))).toBe(true);
  releaseFaultObject(a.cpu, faultObject);
}

describe('MAP_POPULATE', () => {
  it('gives writable private pages frames, and readable ones the zero page', () => {
    a.map(0, 2);
    a.map(2, 2, R);
    a.map(4, 2, NONE);
    a.map(6, 2, RW, SHARED_ANON);
    a.map(9, 1);
    expect(populatePages(0, 10)).toBe(10);
    expect(state(0, 10)).toBe('WW00--WW-W');
    expect(a.entry(6) & pte.PTE_D).toBe(0);
    expectClean(a.t);
  });

  it('copies what a private file mapping may write, and stops at the end of the file', () => {
    const fd = a.memfd(2);
    a.map(0, 4, RW, M.MAP_PRIVATE, fd);
    a.map(4, 1);
    expect(populatePages(0, 5)).toBe(5);
    expect(state(0, 5)).toBe('WW--W');
    expectClean(a.t);
  });

  it('waits for pages of host files, and goes on where it stopped', () => {
    a.map(0, 1);
    a.map(1, 3, R, M.MAP_PRIVATE, hostFile(3));
    for (const page of [1, 2, 3]) {
      expect(populatePages(0, 4)).toBe(page);
      supply();
    }
    expect(populatePages(3, 1)).toBe(4);
    expect(state(0, 4)).toBe('WRRR');
    expectClean(a.t);
  });

  it('leaves guards alone', () => {
    a.map(0, 4);
    expect(a.advise(1, 1, M.MADV_GUARD_INSTALL)).toBe(0);
    expect(populatePages(0, 4)).toBe(4);
    expect(state(0, 4)).toBe('W---');
    expectClean(a.t);
  });

  it('stops where it finds no frame', () => {
    a = new Arena({ frames: 256 });
    a.map(0, 400);
    const page = populatePages(0, 400);
    expect(page).toBeGreaterThan(100);
    expect(page).toBeLessThan(256);
    expect(a.cpu.faultObject).toBe(NO_OBJECT);
    expect(state(page - 2, 4)).toBe('WW--');
    expect(populatePages(page, 1)).toBe(page);
    expectClean(a.t);
  });
});

describe('locked memory', () => {
  function lockPages(page: number, pages: number): number {
    return populateLocked(a.cpu, a.proc, a.vpn + page, a.vpn + page + pages);
  }

  it('is faulted in up to the first page that is refused', () => {
    a.map(0, 2);
    a.map(3, 1, NONE);
    a.map(4, 1);
    expect(lockPages(0, 3)).toBe(0);
    expect(lockPages(0, 5)).toBe(-EFAULT);
    expect(state(0, 5)).toBe('WW---');
    expectClean(a.t);
  });

  it('waits for pages of host files', () => {
    a.map(0, 1, R, M.MAP_PRIVATE, hostFile(1));
    expect(lockPages(0, 1)).toBe(-WAIT_PAGE);
    supply();
    expect(lockPages(0, 1)).toBe(0);
    expectClean(a.t);
  });
});

describe('MADV_POPULATE', () => {
  it('READ takes the zero page, WRITE a frame', () => {
    a.map(0, 4);
    expect(a.advise(0, 3, READ)).toBe(0);
    expect(a.advise(1, 1, WRITE)).toBe(0);
    expect(state(0, 4)).toBe('0W0-');
    expect(a.advise(0, 4, WRITE)).toBe(0);
    expect(state(0, 4)).toBe('WWWW');
    expectClean(a.t);
  });

  it('wants the permission itself', () => {
    a.map(0, 1, M.PROT_WRITE);
    a.map(1, 1, M.PROT_EXEC);
    a.map(2, 1, R);
    expect([0, 1, 2].map((page) => a.advise(page, 1, READ))).toEqual([-EINVAL, -EINVAL, 0]);
    expect([0, 1, 2].map((page) => a.advise(page, 1, WRITE))).toEqual([0, -EINVAL, -EINVAL]);
    expectClean(a.t);
  });

  it('stops at a hole, at a guard and at the end of an object, with the pages before done', () => {
    a.map(0, 2);
    expect(a.advise(0, 4, WRITE)).toBe(-ENOMEM);
    a.map(2, 2);
    expect(a.advise(3, 1, M.MADV_GUARD_INSTALL)).toBe(0);
    expect(a.advise(0, 4, WRITE)).toBe(-EFAULT);
    a.map(8, 4, RW, M.MAP_SHARED, a.memfd(2));
    expect(a.advise(8, 4, READ)).toBe(-EFAULT);
    expect([state(0, 4), state(8, 4)]).toEqual(['WWW-', 'WW--']);
    expectClean(a.t);
  });

  it('waits for pages of host files, and is called again', () => {
    a.map(0, 2, R, M.MAP_PRIVATE, hostFile(2));
    for (let i = 0; i < 2; i++) {
      expect(a.advise(0, 2, READ)).toBe(-WAIT_PAGE);
      supply();
    }
    expect(a.advise(0, 2, READ)).toBe(0);
    expect(a.fault(0)).not.toBe(FAULT_WAIT);
    expectClean(a.t);
  });

  it('tells when memory ends', () => {
    a = new Arena({ frames: 256 });
    a.map(0, 400);
    expect(a.advise(0, 400, WRITE)).toBe(-ENOMEM);
    expectClean(a.t);
  });
});
