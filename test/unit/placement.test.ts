/**
 * Goal: mappings are placed as Linux places those for which it could use huge pages. Method: the
 * numbers, pages from a multiple of 2 MiB, are what a C program prints on Linux 6.18.
 */
import { describe, expect, it } from 'vitest';
import { openFd } from '../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as M from '../../shared/abi/mman.ts';
import { ANON, Kit, P, RW, SHARED_ANON } from '../fixtures/errno-rules/kit.ts';
import { expectClean } from '../support/kernel-helpers.ts';

const HUGE = 2 ** 21;

function open(k: Kit, kind: number): number {
  const object = createObject(k.t.cpu, { kind, size: 32 * HUGE, host: 1, writable: true });
  const fd = openFd(k.t.cpu, k.proc, object, M.O_RDWR);
  putObject(k.t.cpu, object);
  return fd;
}

const pages = (address: number): number => (address % HUGE) / P;

describe('placement', () => {
  it.each([
    ['memory of one huge page', HUGE, ANON, null, 0, 0],
    ['memory of whole ones', 3 * HUGE, ANON, null, 0, 0],
    ['a part of a file on a disk that holds one', HUGE + P, M.MAP_PRIVATE, OBJECT.FILE, 0, 0],
    ['… at its second page', 2 * HUGE, M.MAP_PRIVATE, OBJECT.FILE, P, 1],
    ['… in the middle', 1.5 * HUGE, M.MAP_SHARED, OBJECT.FILE, HUGE / 2, 256],
  ] as const)('aligns %s', (_what, size, flags, kind, offset, expected) => {
    const k = new Kit();
    k.must(k.sys.mmap(0, P, RW, ANON));
    const fd = kind === null ? -1 : open(k, kind);
    const address = k.must(k.sys.mmap(0, size, RW, flags, fd, offset));
    expect(pages(address)).toBe(expected);
    expectClean(k.t);
  });

  it.each([
    ['memory of a part of one', HUGE + P, ANON, null, 0],
    ['shared memory', 2 * HUGE, SHARED_ANON, null, 0],
    ['a file in memory', 2 * HUGE, M.MAP_SHARED, OBJECT.SHARED, 0],
    ['a part of a file that holds none', HUGE, M.MAP_PRIVATE, OBJECT.FILE, P],
  ] as const)('does not align %s', (_what, size, flags, kind, offset) => {
    const k = new Kit();
    const page = k.must(k.sys.mmap(0, P, RW, M.MAP_SHARED | M.MAP_ANONYMOUS));
    const fd = kind === null ? -1 : open(k, kind);
    expect(k.sys.mmap(0, size, RW, flags, fd, offset)).toBe(page - size);
    expectClean(k.t);
  });

  it('takes a hint as it is, and a fixed address', () => {
    const k = new Kit();
    const hint = 0x7000_3000;
    expect(k.sys.mmap(hint, HUGE, RW, ANON)).toBe(hint);
    expect(k.sys.mmap(hint + 2 * HUGE, HUGE, RW, ANON | M.MAP_FIXED)).toBe(hint + 2 * HUGE);
    expectClean(k.t);
  });

  it('aligns what mremap has to move', () => {
    const k = new Kit();
    const from = k.must(k.sys.mmap(0, HUGE, RW, ANON));
    k.must(k.sys.mmap(0, P, RW, ANON));
    k.map(from + HUGE, 1, RW, SHARED_ANON);
    const to = k.must(k.sys.mremap(from, HUGE, 4 * HUGE, M.MREMAP_MAYMOVE));
    expect(pages(to)).toBe(0);
    expectClean(k.t);
  });
});
