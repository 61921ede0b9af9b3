/*
 * Goal: msync's checks in Linux's order (by execution on 6.18), and the write-backs that MS_SYNC
 * asks for: those of shared files that the host wants to hear of, and nothing else.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import { openFd } from '../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import * as E from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { Arena, P, R, RW } from '../support/kernel-arena.ts';
import { expectClean } from '../support/kernel-helpers.ts';

const { MS_ASYNC, MS_INVALIDATE, MS_SYNC } = M;
const { EBUSY, EINVAL, ENOMEM } = E;

let a: Arena;

beforeEach(() => {
  a = new Arena();
});

function msync(page: number, pages: number, flags: number): number {
  return a.call(S.SYS_MSYNC, a.at(page), pages * P, flags);
}

/** Pages that the last calls want written back: [first, end). Takes the list away. */
function writeBacks(): [number, number][] {
  return a.cpu.writeBacks.splice(0).map(({ object, firstPage, endPage }) => {
    putObject(a.cpu, object);
    return [firstPage, endPage];
  });
}

/** A host file of so many pages that may be written. */
function hostFile(pages: number): number {
  const spec = { kind: OBJECT.FILE, size: pages * P, host: 1, writable: true };
  const object = createObject(a.cpu, spec);
  const fd = openFd(a.cpu, a.proc, object, M.O_RDWR);
  putObject(a.cpu, object);
  return fd;
}

describe('msync', () => {
  it.each([0, 1, 2, 3, 4, 6])('takes the flags %i', (flags) => {
    a.map(0, 4);
    expect(msync(0, 4, flags)).toBe(0);
    expectClean(a.t);
  });

  it.each([
    ['unknown flags', 0, P, 8, -EINVAL],
    ['… which are the low half of a register', 0, P, 2 ** 40, 0],
    ['… the low half again', 0, P, 2 ** 40 + 8, -EINVAL],
    ['both SYNC and ASYNC', 0, P, MS_SYNC | MS_ASYNC, -EINVAL],
    ['an address within a page', 1, P, 0, -EINVAL],
    ['length 0', 0, 0, MS_SYNC, 0],
    ['length 0 where nothing is mapped', 8 * P, 0, MS_SYNC, 0],
    ['a length that rounds up to 0', 0, -1, MS_SYNC, 0],
    ['… given without its sign', 0, 2 ** 64 - 2048, MS_SYNC, 0],
    ['a range that wraps', 0, -P, MS_SYNC, -ENOMEM],
    ['… given without its sign', 0, 2 ** 64 - P, MS_SYNC, -ENOMEM],
    ['what no register holds', 0, 2 ** 70, MS_SYNC, -ENOMEM],
    ['more than there is', 0, USER_SPACE_END, MS_SYNC, -ENOMEM],
    ['nothing mapped', 8 * P, P, MS_SYNC, -ENOMEM],
    ['a fraction', 0, P + 0.5, MS_SYNC, -EINVAL],
  ] as const)('answers %s', (_what, offset, length, flags, answer) => {
    a.map(0, 4);
    expect(a.call(S.SYS_MSYNC, a.at(0) + offset, length, flags)).toBe(answer);
    expectClean(a.t);
  });

  it('remembers a hole, and forgets it for locked memory', () => {
    a.map(0, 1);
    a.map(2, 2);
    for (const flags of [0, MS_ASYNC, MS_INVALIDATE, MS_SYNC]) {
      expect(msync(0, 4, flags)).toBe(-ENOMEM);
      expect(msync(1, 2, flags)).toBe(-ENOMEM);
    }
    expect(a.call(S.SYS_MLOCK, a.at(3), P)).toBe(0);
    expect(msync(0, 4, MS_INVALIDATE)).toBe(-EBUSY);
    expect(msync(0, 4, MS_SYNC)).toBe(-ENOMEM);
    expectClean(a.t);
  });

  it('with SYNC has shared files written back, by their own pages, and only them', () => {
    const fd = hostFile(8);
    a.map(0, 4, RW, M.MAP_SHARED, fd, 2);
    a.map(4, 2, RW, M.MAP_PRIVATE, fd);
    a.map(6, 1, RW, M.MAP_SHARED, a.memfd(1));
    a.map(7, 1);
    a.map(9, 1, R, M.MAP_SHARED, fd, 7);
    expect(msync(0, 8, MS_ASYNC)).toBe(0);
    expect(writeBacks()).toEqual([]);
    expect(msync(1, 7, MS_SYNC)).toBe(0);
    expect(writeBacks()).toEqual([[3, 6]]);
    expect(msync(0, 10, MS_SYNC)).toBe(-ENOMEM);
    expect(writeBacks()).toEqual([[2, 6], [7, 8]]); // prettier-ignore
    expectClean(a.t);
  });
});
