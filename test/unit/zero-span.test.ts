/*
 * Goal: a span that is populated for reading costs one entry and no table, behaves as 1024 pages of
 * the zero page would, and work on a huge range gives way in batches that together do all of it.
 * Method: calls by hand on a small machine under each protocol; the audit looks at every entry.
 */
import { describe, expect, it } from 'vitest';

import { ITS_TURN } from '../../kernel/faults/give-way.ts';
import { WAIT_PAGE } from '../../kernel/machine/wait-codes.ts';
import { populate } from '../../kernel/mmu/populate.ts';
import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { restOf } from '../../kernel/syscalls/rest.ts';
import type { Call } from '../../kernel/syscalls/rest.ts';
import { killProcess } from '../../kernel/processes/signals.ts';
import { EINTR, ENOMEM, ENXIO } from '../../shared/abi/errno.ts';
import { RANGE_BATCH_PAGES, SPAN_PAGES, USER_BATCH } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { Arena, P, R, RW } from '../support/kernel-arena.ts';
import { expectClean } from '../support/kernel-helpers.ts';

/** Page 3 of the arena is the first of a span. */
const FIRST = 3;

/** Calls until the range is done; the result, and how often the call gave way. */
function whole(a: Arena, number: number, ...args: number[]): { result: number; turns: number } {
  let call: Call = { number, args };
  let carried = 0;
  for (let turns = 0; ; turns++) {
    const result = a.call(call.number, ...call.args);
    if (result !== -WAIT_PAGE) return { result: result === 0 ? carried : result, turns };
    expect(a.cpu.faultObject).toBe(ITS_TURN);
    carried = carried === 0 ? a.cpu.carriedErrno : carried;
    call = restOf(call, a.cpu.stoppedAtVpn);
  }
}

describe.each(PROTOCOL_NAMES)('a span of the zero page, %s', (protocol) => {
  it('takes one entry, and a write makes one page of it its own', () => {
    const a = new Arena({ protocol });
    a.map(FIRST, 2 * SPAN_PAGES);
    const before = frameUsage(a.t.machine).used;
    expect(a.advise(FIRST, 2 * SPAN_PAGES, M.MADV_POPULATE_READ)).toBe(0);
    expect(frameUsage(a.t.machine).used).toBe(before);
    expect(pte.isZeroPage(a.entry(FIRST + 700))).toBe(true);
    expectClean(a.t);
    a.write(FIRST + 5, 0x77);
    expect(a.read(FIRST + 5)).toBe(0x77);
    expect(a.read(FIRST + 6)).toBe(0);
    expect(pte.isZeroPage(a.entry(FIRST + 6))).toBe(true);
    expectClean(a.t);
  });

  it('is cut, protected, discarded and unmapped like other pages', () => {
    const a = new Arena({ protocol });
    a.map(FIRST, 3 * SPAN_PAGES);
    expect(a.advise(FIRST, 3 * SPAN_PAGES, M.MADV_POPULATE_READ)).toBe(0);
    a.protect(FIRST + 10, SPAN_PAGES, R);
    a.protect(FIRST + 10, SPAN_PAGES, RW);
    expect(a.advise(FIRST + 4, 3, M.MADV_DONTNEED)).toBe(0);
    expect(pte.isPresent(a.entry(FIRST + 5))).toBe(false);
    a.unmap(FIRST + 2 * SPAN_PAGES + 7, 9);
    expectClean(a.t);
    a.write(FIRST + SPAN_PAGES, 1);
    a.unmap(FIRST, 3 * SPAN_PAGES);
    expectClean(a.t);
  });

  it('is untouched where mremap has moved it, and reads as zero', () => {
    const a = new Arena({ protocol });
    a.map(FIRST, SPAN_PAGES);
    expect(a.advise(FIRST, SPAN_PAGES, M.MADV_POPULATE_READ)).toBe(0);
    expect(a.mincore(FIRST + 7, 1)).toEqual([1]);
    const [from, to] = [a.at(FIRST), a.at(FIRST + 2 * SPAN_PAGES)];
    const flags = M.MREMAP_MAYMOVE | M.MREMAP_FIXED;
    expect(a.call(S.SYS_MREMAP, from, SPAN_PAGES * P, SPAN_PAGES * P, flags, to)).toBe(to);
    expect(pte.isPresent(a.entry(FIRST + 2 * SPAN_PAGES + 7))).toBe(false);
    expect(a.mincore(FIRST + 2 * SPAN_PAGES + 7, 1)).toEqual([0]);
    expect(a.read(FIRST + 2 * SPAN_PAGES + 7)).toBe(0);
    expectClean(a.t);
  });
});

describe('work on a huge range', () => {
  it('populates in batches, each of which goes on where the last one stopped', () => {
    const a = new Arena();
    const pages = USER_BATCH + 300;
    a.map(0, pages);
    const all = whole(a, S.SYS_MADVISE, a.at(0), pages * P, M.MADV_POPULATE_WRITE);
    expect(all).toEqual({ result: 0, turns: 1 });
    expect(pte.isPresent(a.entry(pages - 1))).toBe(true);
    const locked = whole(a, S.SYS_MLOCK, a.at(0) + 5, pages * P - 10);
    expect(locked).toEqual({ result: 0, turns: 1 });
    expect(whole(a, S.SYS_MUNLOCK, a.at(0), pages * P).result).toBe(0);
    expectClean(a.t);
  });

  it('reads 16 GiB of untouched memory ahead within 64 tables and a few batches', () => {
    const a = new Arena();
    const spans = 4096;
    a.map(FIRST, spans * SPAN_PAGES);
    const all = whole(a, S.SYS_MADVISE, a.at(FIRST), spans * SPAN_PAGES * P, M.MADV_POPULATE_READ);
    expect(all).toEqual({ result: 0, turns: 1 });
    expect(frameUsage(a.t.machine).tables).toBeLessThan(64);
    expectClean(a.t);
  });

  it.each([
    [M.MADV_DONTNEED, 0],
    [M.MADV_COLD, 9],
    [M.MADV_FREE, 9],
  ])('remembers a hole of an earlier part, advice %i', (advice, left) => {
    const a = new Arena();
    const pages = 3 * RANGE_BATCH_PAGES;
    a.map(0, pages);
    a.write(pages - 1, 9);
    a.unmap(8, 1);
    const all = whole(a, S.SYS_MADVISE, a.at(0), pages * P, advice);
    expect(all).toEqual({ result: -ENOMEM, turns: 2 });
    expect(a.read(pages - 1)).toBe(left);
    expectClean(a.t);
  });

  it('tells of each page by mincore, whose bytes go on too', () => {
    const a = new Arena();
    const pages = RANGE_BATCH_PAGES + SPAN_PAGES;
    a.map(FIRST, pages, R);
    const vector = FIRST + pages + 10;
    a.map(vector, Math.ceil(pages / P) + 1);
    a.read(FIRST + pages - 1);
    const all = whole(a, S.SYS_MINCORE, a.at(FIRST), pages * P, a.at(vector));
    expect(all).toEqual({ result: 0, turns: 1 });
    const last = a.at(vector) + pages - 1;
    const entry = a.entry(Math.floor(last / P) - a.vpn);
    expect(a.t.machine.frameBytes[pte.pfnOf(entry) * P + (last % P)]).toBe(1);
    expectClean(a.t);
  });

  it('cuts a file that has pages at both ends of 1 TiB in a few steps', () => {
    const a = new Arena();
    const pages = 2 ** 28;
    const fd = a.memfd(pages);
    const size = pages * P;
    for (const page of [0, 1, 500, pages - 1]) {
      expect(a.call(S.SYS_FALLOCATE, fd, 0, page * P, P)).toBe(0);
    }
    const before = frameUsage(a.t.machine).used;
    const cut = whole(a, S.SYS_FTRUNCATE, fd, P + 1);
    expect(cut).toEqual({ result: 0, turns: 1 });
    expect(a.call(S.SYS_LSEEK, fd, 0, M.SEEK_END)).toBe(P + 1);
    // And the page index is lower.
    expect(frameUsage(a.t.machine).used).toBeLessThanOrEqual(before - 2);
    expect(whole(a, S.SYS_FTRUNCATE, fd, size)).toEqual({ result: 0, turns: 0 });
    expect(whole(a, S.SYS_FTRUNCATE, fd, 0)).toEqual({ result: 0, turns: 1 });
    expectClean(a.t);
  });

  it('fills a file, and punches holes, in parts that together do all of it', () => {
    const a = new Arena();
    const fd = a.memfd(1);
    const pages = USER_BATCH + 100;
    const before = frameUsage(a.t.machine).used;
    const filled = whole(a, S.SYS_FALLOCATE, fd, 0, P + 1, pages * P - 1);
    expect(filled).toEqual({ result: 0, turns: 1 });
    expect(a.call(S.SYS_LSEEK, fd, 0, M.SEEK_END)).toBe((pages + 1) * P);
    expect(frameUsage(a.t.machine).used).toBeGreaterThanOrEqual(before + pages);
    const hole = M.FALLOC_FL_PUNCH_HOLE | M.FALLOC_FL_KEEP_SIZE;
    const punched = whole(a, S.SYS_FALLOCATE, fd, hole, 1, 3 * RANGE_BATCH_PAGES * P);
    expect(punched).toEqual({ result: 0, turns: 2 });
    expect(a.call(S.SYS_LSEEK, fd, 0, M.SEEK_DATA)).toBe(-ENXIO);
    expectClean(a.t);
  });

  it('ends between two batches when the process is to end', () => {
    const a = new Arena();
    const pages = 2 * USER_BATCH;
    a.map(0, pages);
    expect(a.advise(0, pages, M.MADV_POPULATE_WRITE)).toBe(-WAIT_PAGE);
    killProcess(a.cpu, a.pid, 9);
    expect(a.advise(USER_BATCH, USER_BATCH, M.MADV_POPULATE_WRITE)).toBe(-EINTR);
    expect(a.call(S.SYS_MLOCK, a.at(0), pages * P)).toBe(-EINTR);
    expect(populate(a.cpu, a.proc, a.vpn, a.vpn + pages)).toBe(a.vpn + pages);
    expect(pte.isPresent(a.entry(USER_BATCH + 5))).toBe(false);
    expectClean(a.t);
  });
});
