/*
 * Goal: mincore says of each page whether an access would find it in memory, and refuses in Linux's
 * order (by execution on 6.18).
 */
import { beforeEach, describe, expect, it } from 'vitest';

import { frameBytesOf } from '../../kernel/faults/page-in.ts';
import { fdObject } from '../../kernel/objects/fd.ts';
import { pfnOf } from '../../shared/pte.ts';
import * as E from '../../shared/abi/errno.ts';
import { USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { Arena, NONE, P, R, RW, SHARED_ANON } from '../support/kernel-arena.ts';
import { expectClean } from '../support/kernel-helpers.ts';

let a: Arena;

beforeEach(() => {
  a = new Arena();
});

describe('mincore', () => {
  it('tells touched from untouched memory, whatever may be done with it now', () => {
    a.map(0, 6);
    a.write(0, 1);
    a.read(4);
    expect(a.mincore(0, 6)).toEqual([1, 0, 0, 0, 1, 0]);
    a.protect(0, 6, NONE);
    expect(a.mincore(0, 6)).toEqual([1, 0, 0, 0, 1, 0]);
    expect(a.advise(0, 6, M.MADV_DONTNEED)).toBe(0);
    expect(a.mincore(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expectClean(a.t);
  });

  it('finds pages that only the object has', () => {
    const fd = a.memfd(4);
    a.map(0, 4, RW, M.MAP_SHARED, fd);
    a.write(1, 1);
    a.map(8, 6, R, M.MAP_PRIVATE, fd);
    expect(a.mincore(8, 6)).toEqual([0, 1, 0, 0, 0, 0]);
    expect(fdObject(a.cpu, a.proc, fd)).toBeGreaterThan(0);
    a.map(16, 2, RW, SHARED_ANON);
    a.write(17, 1);
    expect(a.advise(16, 2, M.MADV_DONTNEED)).toBe(0);
    expect(a.mincore(16, 2)).toEqual([0, 1]);
    expectClean(a.t);
  });

  it('goes on over a border of areas, and stops at a hole with what it has written', () => {
    a.map(0, 2);
    a.map(2, 1, R);
    a.map(4, 1);
    a.write(1, 1);
    expect(a.mincore(0, 3)).toEqual([0, 1, 0]);
    a.map(-8, 1);
    a.write(-8, 9);
    expect(a.call(S.SYS_MINCORE, a.at(0), 5 * P, a.at(-8) + 1)).toBe(-E.ENOMEM);
    const bytes = frameBytesOf(a.t.machine, pfnOf(a.entry(-8)));
    expect(Array.from(bytes.subarray(0, 4))).toEqual([9, 0, 1, 0]);
    expectClean(a.t);
  });

  it('looks at many pages in chunks', () => {
    a.map(0, 10_000);
    a.write(4095, 1);
    a.write(4096, 1);
    a.write(9999, 1);
    a.map(-64, 3);
    expect(a.call(S.SYS_MINCORE, a.at(0), 10_000 * P, a.at(-64))).toBe(0);
    const bytes = [-64, -63, -62].map((page) => {
      a.read(page);
      return frameBytesOf(a.t.machine, pfnOf(a.entry(page)));
    });
    expect(bytes.map((page) => page.reduce((sum, byte) => sum + byte, 0))).toEqual([1, 1, 1]);
    expect([bytes[0]?.[4095], bytes[1]?.[0], bytes[2]?.[9999 - 8192]]).toEqual([1, 1, 1]);
    expectClean(a.t);
  });

  it.each([
    ['an address within a page', 1, P, 0, -E.EINVAL],
    ['… before everything else', 1, -1, -P, -E.EINVAL],
    ['a range beyond user space', 0, USER_SPACE_END, 0, -E.ENOMEM],
    ['… before the vector', 0, -1, -P, -E.ENOMEM],
    ['a vector beyond user space', 0, P, -P, -E.EFAULT],
    ['a vector that ends beyond it', 0, 2 * P, USER_SPACE_END - 1, -E.EFAULT],
    ['a vector that is not mapped', 0, P, 4096, -E.EFAULT],
    ['a hole, before such a vector', 8 * P, P, 4096, -E.ENOMEM],
    ['no length: any vector', 0, 0, 1, 0],
    ['a length that is no number', 0, NaN, 0, -E.EINVAL],
  ] as const)('answers %s', (_what, offset, length, vector, answer) => {
    a.map(0, 4);
    expect(a.call(S.SYS_MINCORE, a.at(0) + offset, length, vector)).toBe(answer);
    expectClean(a.t);
  });

  it('writes what fits when its vector ends at a page that may not be written', () => {
    a.map(0, 4);
    a.map(-8, 1);
    a.map(-7, 1, R);
    a.write(1, 1);
    const vector = a.at(-7) - 2;
    expect(a.call(S.SYS_MINCORE, a.at(0), 4 * P, vector)).toBe(-E.EFAULT);
    const bytes = frameBytesOf(a.t.machine, pfnOf(a.entry(-8)));
    expect(Array.from(bytes.subarray(P - 2))).toEqual([0, 1]);
    expectClean(a.t);
  });
});
