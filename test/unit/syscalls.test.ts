/*
 * Goal: mmap, munmap and mprotect answer as Linux does, also where two rules apply, and place,
 * merge and split areas as it does. Method: tables of calls and answers, by execution on
 * Linux 6.18.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import { openFd } from '../../kernel/objects/fd.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_ACCERR, FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { areasOf } from '../../kernel/space/space.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as SPACE from '../../shared/layout/space.ts';
import {
  AREAS_MAX,
  MMAP_MIN_ADDR,
  MMAP_TOP,
  PAGE_SIZE,
  USER_SPACE_END,
} from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const P = PAGE_SIZE;
const RW = M.PROT_READ | M.PROT_WRITE;
const { PROT_NONE: NONE, PROT_READ: R, PROT_WRITE: W } = M;
const { MAP_PRIVATE: PRIVATE, MAP_SHARED: SHARED, MAP_FIXED: FIXED } = M;
const ANON = PRIVATE | M.MAP_ANONYMOUS;
const NOREPLACE = M.MAP_FIXED_NOREPLACE;
const VALIDATE = M.MAP_SHARED_VALIDATE;
const UNKNOWN = 0x0100_0000;
/** An area of 8 pages, RW, stands here before each call. */
const BASE = 0x4000_0000;
const FREE = 0x6000_0000;

let t: TestMachine;
let proc: number;
let space: number;
const fds = { rw: 0, ro: 0, wo: 0, device: 0, closed: 60 };

beforeEach(() => {
  t = testMachine({ frames: 1024 });
  ({ proc, space } = testProcess(t));
  const make = (kind: number, size: number) =>
    createObject(t.cpu, { kind, size, host: 1, writable: true });
  const file = make(OBJECT.FILE, 100 * P);
  fds.rw = openFd(t.cpu, proc, file, M.O_RDWR);
  fds.ro = openFd(t.cpu, proc, file, M.O_RDONLY);
  fds.wo = openFd(t.cpu, proc, file, M.O_WRONLY);
  putObject(t.cpu, file);
  const device = make(OBJECT.DEVICE, 2 * P);
  fds.device = openFd(t.cpu, proc, device, M.O_RDWR);
  putObject(t.cpu, device);
  expect(mmap(BASE, 8 * P, RW, ANON | FIXED)).toBe(BASE);
});

function mmap(at: number, size: number, prot: number, flags: number, fd = -1, offset = 0): number {
  return sysMmap(t.cpu, proc, at, size, prot, flags, fd, offset);
}

/** Areas as [first page from BASE, pages, PROT_*]. */
function areas(): number[][] {
  return areasOf(t.cpu, space)
    .iter()
    .map((area) => [(area.start - BASE) / P, area.size / P, area.flags & 7]);
}

type Call = [what: string, errno: number, ...args: (number | keyof typeof fds)[]];

function fdOf(argument: number | string | undefined): number {
  if (typeof argument === 'string') return fds[argument as keyof typeof fds];
  return argument ?? -1;
}

describe('mmap refuses', () => {
  const calls: Call[] = [
    ['an offset that is no multiple of a page', E.EINVAL, 0, P, R, ANON, -1, 1],
    ['… before a closed descriptor', E.EINVAL, 0, P, R, PRIVATE, 'closed', 1],
    ['… before length 0 and a fixed address at 0', E.EINVAL, 0, 0, R, ANON | FIXED, -1, 5],
    ['a closed descriptor', E.EBADF, 0, P, R, PRIVATE, 'closed'],
    ['… before length 0', E.EBADF, 0, 0, R, PRIVATE, 'closed'],
    ['… and descriptors that cannot be', E.EBADF, 0, P, R, PRIVATE, -1],
    ['', E.EBADF, 0, P, R, PRIVATE, 0],
    ['a standard stream', E.ENODEV, 0, P, R, PRIVATE, 2],
    ['', E.EBADF, 0, P, R, PRIVATE, 1e9],
    ['length 0', E.EINVAL, 0, 0, R, ANON],
    ['… before a wrong type', E.EINVAL, 0, 0, R, M.MAP_ANONYMOUS],
    ['a negative length, which is a huge one', E.ENOMEM, 0, -1, R, ANON],
    ['… before a wrong type', E.ENOMEM, 0, -P, R, M.MAP_ANONYMOUS],
    ['more than user space', E.ENOMEM, 0, USER_SPACE_END + 1, R, ANON],
    ['… however much', E.ENOMEM, 0, 2 ** 60, R, ANON],
    ['what fits nowhere', E.ENOMEM, 0, MMAP_TOP, R, ANON],
    ['a length that is no number', E.EINVAL, 0, NaN, R, ANON],
    ['a fractional length', E.EINVAL, 0, 0.5, R, ANON],
    ['an infinite length', E.EINVAL, 0, Infinity, R, ANON],
    ['a fractional address', E.EINVAL, 0.5, P, R, ANON],
    ['an address that is no number', E.EINVAL, NaN, P, R, ANON],
    ['a fixed address beyond the end', E.ENOMEM, USER_SPACE_END, P, R, ANON | FIXED],
    ['… before its alignment', E.ENOMEM, USER_SPACE_END - 1, P, R, ANON | FIXED],
    ['… and a negative one', E.ENOMEM, -P, P, R, ANON | FIXED],
    ['a fixed range that ends beyond', E.ENOMEM, USER_SPACE_END - P, 2 * P, R, ANON | FIXED],
    ['an unaligned fixed address', E.EINVAL, FREE + 1, P, R, ANON | FIXED],
    ['… before the lowest address', E.EINVAL, 1, P, R, ANON | FIXED],
    ['a fixed address below the lowest', E.EPERM, 0, P, R, ANON | FIXED],
    ['', E.EPERM, MMAP_MIN_ADDR - P, P, R, ANON | FIXED],
    ['… before a wrong type', E.EPERM, 0, P, R, FIXED | M.MAP_ANONYMOUS],
    ['to replace with NOREPLACE', E.EEXIST, BASE, P, R, ANON | NOREPLACE],
    ['… also with FIXED', E.EEXIST, BASE - P, 2 * P, R, ANON | FIXED | NOREPLACE],
    ['… before a wrong type', E.EEXIST, BASE + 7 * P, P, R, M.MAP_ANONYMOUS | NOREPLACE],
    ['… below the lowest address', E.EPERM, 0, P, R, ANON | NOREPLACE],
    ['an anonymous mapping without a type', E.EINVAL, 0, P, R, M.MAP_ANONYMOUS],
    ['… of type VALIDATE', E.EINVAL, 0, P, R, M.MAP_ANONYMOUS | VALIDATE],
    ['… of an unknown type', E.EINVAL, 0, P, R, M.MAP_ANONYMOUS | 4],
    ['a shared mapping that grows', E.EINVAL, 0, P, R, SHARED | M.MAP_ANONYMOUS | 0x100],
    ['a file without a type', E.EINVAL, 0, P, R, 0, 'rw'],
    ['… before access', E.EINVAL, 0, P, R, 0, 'wo'],
    ['a file that grows', E.EINVAL, 0, P, R, PRIVATE | M.MAP_GROWSDOWN, 'rw'],
    ['… after access', E.EACCES, 0, P, R, PRIVATE | M.MAP_GROWSDOWN, 'wo'],
    ['an unknown flag with VALIDATE', E.EOPNOTSUPP, 0, P, R, VALIDATE | UNKNOWN, 'rw'],
    ['… and MAP_SYNC', E.EOPNOTSUPP, 0, P, R, VALIDATE | M.MAP_SYNC, 'rw'],
    ['… and NOREPLACE', E.EOPNOTSUPP, FREE, P, R, VALIDATE | NOREPLACE, 'rw'],
    ['… before access', E.EOPNOTSUPP, 0, P, RW, VALIDATE | UNKNOWN, 'ro'],
    ['a file beyond what a page offset reaches', E.EOVERFLOW, 0, P, R, PRIVATE, 'rw', 2 ** 43],
    ['… before a wrong type', E.EOVERFLOW, 0, P, R, 0, 'rw', 2 ** 43],
    ['a negative offset, which is a huge one', E.EOVERFLOW, 0, P, R, PRIVATE, 'rw', -P],
    ['to write a shared file that may not be', E.EACCES, 0, P, RW, SHARED, 'ro'],
    ['', E.EACCES, 0, P, W, VALIDATE, 'ro'],
    ['to read what may only be written', E.EACCES, 0, P, R, SHARED, 'wo'],
    ['… also with PROT_NONE, also private', E.EACCES, 0, P, NONE, PRIVATE, 'wo'],
    ['a private mapping of a device', E.EINVAL, 0, P, R, PRIVATE, 'device'],
    ['a device beyond its registers', E.EINVAL, 0, 2 * P, R, SHARED, 'device', P],
  ];
  it.each(calls)('%s (%d)', (_what, errno, at, size, prot, flags, fd, offset) => {
    const [a, s, p, f] = [at, size, prot, flags].map(Number) as [number, number, number, number];
    expect(mmap(a, s, p, f, fdOf(fd), Number(offset ?? 0))).toBe(-errno);
    // Whatever it was, nothing changed: not even what a fixed mapping would have replaced.
    expect(areas()).toEqual([[0, 8, RW]]);
    expectClean(t);
  });
});

describe('mmap accepts', () => {
  const calls: [string, ...(number | keyof typeof fds)[]][] = [
    ['any descriptor for anonymous memory', 0, P, R, ANON, 'closed'],
    ['a length that is no multiple of a page', 0, 1, R, ANON],
    ['unknown flags and bits of prot', 0, P, R | 0x100, ANON | UNKNOWN],
    ['unknown flags of a file, unless VALIDATE', 0, P, R, SHARED | UNKNOWN, 'rw'],
    ['VALIDATE with known flags', 0, P, RW, VALIDATE | M.MAP_NORESERVE | M.MAP_POPULATE, 'rw'],
    ['a file shared for reading', 0, P, R, SHARED, 'ro'],
    ['a file private for writing, whatever the descriptor', 0, P, RW, PRIVATE, 'ro'],
    ['more than the file has', 0, 200 * P, R, PRIVATE, 'rw'],
    ['a device', 0, 2 * P, RW, SHARED, 'device'],
    ['a negative offset where it means nothing', 0, P, R, ANON, -1, -P],
    ['a hint that is no page', FREE + 5, P, R, ANON],
  ];
  it.each(calls)('%s', (_what, at, size, prot, flags, fd, offset) => {
    const [a, s, p, f] = [at, size, prot, flags].map(Number) as [number, number, number, number];
    expect(mmap(a, s, p, f, fdOf(fd), Number(offset ?? 0))).toBeGreaterThanOrEqual(MMAP_MIN_ADDR);
    expect(areas()).toHaveLength(2);
    expectClean(t);
  });
});

describe('placement', () => {
  const anywhere = (size: number) => mmap(0, size, R, SHARED | M.MAP_ANONYMOUS);

  it('goes down from the top, and fills a freed gap first', () => {
    expect(anywhere(P)).toBe(MMAP_TOP - P);
    expect(anywhere(3 * P - 1)).toBe(MMAP_TOP - 4 * P);
    expect(anywhere(P)).toBe(MMAP_TOP - 5 * P);
    expect(sysMunmap(t.cpu, proc, MMAP_TOP - 4 * P, 3 * P)).toBe(0);
    expect(anywhere(4 * P)).toBe(MMAP_TOP - 9 * P);
    expect(anywhere(2 * P)).toBe(MMAP_TOP - 3 * P);
    expect(anywhere(P)).toBe(MMAP_TOP - 4 * P);
    expectClean(t);
  });

  it.each([
    ['takes a free hint, rounded down', FREE + 0xfff, P, FREE],
    ['takes a hint above the top', MMAP_TOP + P, P, MMAP_TOP + P],
    ['takes the last page', USER_SPACE_END - P, P, USER_SPACE_END - P],
    ['raises a hint below the lowest address', 0x1000, P, MMAP_MIN_ADDR],
    ['ignores a hint within the first page', 0xfff, P, MMAP_TOP - P],
    ['ignores a hint that is taken', BASE + P, P, MMAP_TOP - P],
    ['ignores a hint whose range is taken', BASE - P, 2 * P, MMAP_TOP - 2 * P],
    ['ignores a hint beyond the end', USER_SPACE_END, P, MMAP_TOP - P],
    ['ignores a negative hint', -P, P, MMAP_TOP - P],
    ['ignores a hint whose range ends beyond', USER_SPACE_END - P, 2 * P, MMAP_TOP - 2 * P],
  ])('%s', (_what, hint, size, expected) => {
    expect(mmap(hint, size, R, ANON)).toBe(expected);
  });
});

describe('munmap', () => {
  it.each([
    ['an unaligned address', BASE + 1, P],
    ['length 0', BASE, 0],
    ['a negative length', BASE, -P],
    ['a negative address', -P, P],
    ['more than user space', 0, USER_SPACE_END + 1],
    ['a range that ends beyond', USER_SPACE_END - P, P + 1],
    ['an address beyond', USER_SPACE_END, P],
    ['what is no number', NaN, P],
    ['what is no length', BASE, NaN],
    ['a fraction', BASE, 1.5],
    ['infinity', BASE, Infinity],
  ])('refuses %s', (_what, at, size) => {
    expect(sysMunmap(t.cpu, proc, at, size)).toBe(-E.EINVAL);
    expect(areas()).toEqual([[0, 8, RW]]);
  });

  it('accepts holes, rounds up, trims and splits', () => {
    expect(sysMunmap(t.cpu, proc, FREE, P)).toBe(0);
    expect(sysMunmap(t.cpu, proc, BASE - P, P + 1)).toBe(0);
    expect(areas()).toEqual([[1, 7, RW]]);
    expect(sysMunmap(t.cpu, proc, BASE + 3 * P, 2 * P)).toBe(0);
    expect(areas()).toEqual([[1, 2, RW], [5, 3, RW]]); // prettier-ignore
    expect(sysMunmap(t.cpu, proc, 0, USER_SPACE_END)).toBe(0);
    expect(areas()).toEqual([]);
    expectClean(t);
  });
});

describe('mprotect', () => {
  const GROWS = M.PROT_GROWSDOWN | M.PROT_GROWSUP;
  it.each([
    ['both GROWS flags', E.EINVAL, BASE, P, R | GROWS],
    ['… before all else', E.EINVAL, BASE + 1, 0, R | GROWS],
    ['an unaligned address', E.EINVAL, BASE + 1, P, R],
    ['… also of length 0', E.EINVAL, BASE + 1, 0, R],
    ['a negative length', E.ENOMEM, BASE, -1, R],
    ['a range that wraps', E.ENOMEM, -P, P, R],
    ['an unknown bit', E.EINVAL, BASE, P, R | 0x10],
    ['… before a hole', E.EINVAL, FREE, P, 0x100],
    ['a hole at the start', E.ENOMEM, FREE, P, R],
    ['an address beyond', E.ENOMEM, USER_SPACE_END, P, R],
    ['what is no number', E.EINVAL, NaN, P, R],
    ['GROWSDOWN of what does not grow', E.EINVAL, BASE, P, R | M.PROT_GROWSDOWN],
    ['… after a hole at the start', E.ENOMEM, FREE, P, R | M.PROT_GROWSDOWN],
  ])('refuses %s', (_what, errno, at, size, prot) => {
    expect(sysMprotect(t.cpu, proc, at, size, prot)).toBe(-errno);
    expect(areas()).toEqual([[0, 8, RW]]);
  });

  it('accepts length 0 anywhere, and PROT_SEM', () => {
    expect(sysMprotect(t.cpu, proc, FREE, 0, R)).toBe(0);
    expect(sysMprotect(t.cpu, proc, BASE, 0, 0x100)).toBe(0);
    expect(sysMprotect(t.cpu, proc, BASE, P, RW | M.PROT_SEM)).toBe(0);
    expect(areas()).toEqual([[0, 8, RW]]);
  });

  it('applies what lies before a hole', () => {
    expect(sysMunmap(t.cpu, proc, BASE + 4 * P, P)).toBe(0);
    expect(sysMprotect(t.cpu, proc, BASE + 2 * P, 4 * P, R)).toBe(-E.ENOMEM);
    expect(areas()).toEqual([[0, 2, RW], [2, 2, R], [5, 3, RW]]); // prettier-ignore
    expectClean(t);
  });

  it('applies what lies before the end of user space', () => {
    const last = USER_SPACE_END - 2 * P;
    expect(mmap(last, 2 * P, RW, ANON | FIXED)).toBe(last);
    expect(sysMprotect(t.cpu, proc, last + P, 4 * P, 0x100)).toBe(-E.EINVAL);
    expect(sysMprotect(t.cpu, proc, last + P, 4 * P, R)).toBe(-E.ENOMEM);
    expect(areas().map((area) => area[2])).toEqual([RW, RW, R]);
    expectClean(t);
  });

  it('applies what lies before the first area that may not be written', () => {
    expect(mmap(BASE + 4 * P, 2 * P, R, SHARED | FIXED, fds.ro)).toBe(BASE + 4 * P);
    expect(sysMprotect(t.cpu, proc, BASE, 8 * P, R)).toBe(0);
    expect(sysMprotect(t.cpu, proc, BASE + P, 6 * P, RW)).toBe(-E.EACCES);
    expect(areas()).toEqual([[0, 1, R], [1, 3, RW], [4, 2, R], [6, 2, R]]); // prettier-ignore
    expect(sysMprotect(t.cpu, proc, BASE + 4 * P, P, W)).toBe(-E.EACCES);
    expect(sysMprotect(t.cpu, proc, BASE + 4 * P, P, NONE)).toBe(0);
    expectClean(t);
  });

  it('lets a private mapping of a read-only descriptor be written', () => {
    expect(mmap(FREE, P, R, PRIVATE | FIXED, fds.ro)).toBe(FREE);
    expect(sysMprotect(t.cpu, proc, FREE, P, RW)).toBe(0);
  });

  it('keeps the contents, and takes effect before it returns', () => {
    const vpn = BASE / P;
    expect(handleFault(t.cpu, space, vpn, true)).toBe(FAULT_DONE);
    const word = frameWord(t.machine, pte.pfnOf(peekEntry(t.cpu, space, vpn)));
    poke(t.cpu.words, word, 4711);
    for (const prot of [NONE, R, M.PROT_EXEC, W]) {
      expect(sysMprotect(t.cpu, proc, BASE, P, prot)).toBe(0);
      const outcome = prot === W ? FAULT_DONE : FAULT_ACCERR;
      expect(handleFault(t.cpu, space, vpn, true)).toBe(outcome);
      // On x86 what may be written or executed may be read.
      expect(handleFault(t.cpu, space, vpn, false)).toBe(prot === NONE ? FAULT_ACCERR : FAULT_DONE);
    }
    expect(peek(t.cpu.words, word)).toBe(4711);
    expect(areas()).toEqual([[0, 1, W], [1, 7, RW]]); // prettier-ignore
  });
});

describe('areas', () => {
  it('merge when neighbours are equal, and when mprotect makes them so', () => {
    expect(mmap(BASE + 8 * P, P, RW, ANON | FIXED)).toBe(BASE + 8 * P);
    expect(mmap(BASE - P, P, RW, ANON | FIXED)).toBe(BASE - P);
    expect(areas()).toEqual([[-1, 10, RW]]);
    expect(sysMprotect(t.cpu, proc, BASE + P, P, R)).toBe(0);
    expect(areas()).toEqual([[-1, 2, RW], [1, 1, R], [2, 7, RW]]); // prettier-ignore
    expect(sysMprotect(t.cpu, proc, BASE + P, P, RW)).toBe(0);
    expect(areas()).toEqual([[-1, 10, RW]]);
  });

  it('of one fixed read-only mapping in the middle are three, and one again', () => {
    expect(mmap(BASE + 3 * P, P, R, ANON | FIXED)).toBe(BASE + 3 * P);
    expect(areas()).toEqual([[0, 3, RW], [3, 1, R], [4, 4, RW]]); // prettier-ignore
    expect(mmap(BASE, 8 * P, RW, ANON | FIXED)).toBe(BASE);
    expect(areas()).toEqual([[0, 8, RW]]);
    expectClean(t);
  });

  it('of shared memory merge with their own parts only', () => {
    const shared = SHARED | M.MAP_ANONYMOUS | FIXED;
    for (const page of [0, 2]) expect(mmap(FREE + page * P, 2 * P, RW, shared)).toBeGreaterThan(0);
    expect(areas()).toHaveLength(3);
    expect(sysMprotect(t.cpu, proc, FREE, P, R)).toBe(0);
    expect(areas()).toHaveLength(4);
    expect(sysMprotect(t.cpu, proc, FREE, P, RW)).toBe(0);
    expect(areas()).toHaveLength(3);
  });

  it('of a file merge when their offsets continue', () => {
    const file = PRIVATE | FIXED;
    expect(mmap(FREE, P, R, file, fds.rw, 3 * P)).toBe(FREE);
    expect(mmap(FREE + P, P, R, file, fds.ro, 4 * P)).toBe(FREE + P);
    expect(areas()).toHaveLength(2);
    expect(mmap(FREE + 2 * P, P, R, file, fds.rw, 6 * P)).toBe(FREE + 2 * P);
    expect(mmap(FREE + 3 * P, P, R, SHARED | FIXED, fds.rw, 7 * P)).toBe(FREE + 3 * P);
    expect(areas()).toHaveLength(4);
    expectClean(t);
  });

  it('replaced by a fixed mapping lose their contents', () => {
    const vpn = BASE / P;
    expect(handleFault(t.cpu, space, vpn, true)).toBe(FAULT_DONE);
    poke(t.cpu.words, frameWord(t.machine, pte.pfnOf(peekEntry(t.cpu, space, vpn))), 4711);
    expect(mmap(BASE, P, RW, ANON | FIXED)).toBe(BASE);
    expect(areas()).toEqual([[0, 8, RW]]);
    expect(handleFault(t.cpu, space, vpn, false)).toBe(FAULT_DONE);
    expect(peek(t.cpu.words, frameWord(t.machine, pte.pfnOf(peekEntry(t.cpu, space, vpn))))).toBe(
      0,
    );
    expectClean(t);
  });

  it('are limited: at the limit edges may be trimmed and areas grow, but nothing is split', () => {
    // The set believes that it is full; making 65,530 areas would take a while.
    const count = space + SPACE.AREA_COUNT;
    poke(t.cpu.words, count, AREAS_MAX);
    expect(sysMunmap(t.cpu, proc, BASE + 2 * P, P)).toBe(-E.ENOMEM);
    expect(sysMprotect(t.cpu, proc, BASE + 2 * P, P, R)).toBe(-E.ENOMEM);
    expect(mmap(BASE + 2 * P, P, R, ANON | FIXED)).toBe(-E.ENOMEM);
    expect(sysMunmap(t.cpu, proc, BASE + 7 * P, P)).toBe(0);
    expect(mmap(BASE + 7 * P, P, RW, ANON | FIXED)).toBe(BASE + 7 * P);
    poke(t.cpu.words, count, AREAS_MAX + 1);
    expect(mmap(BASE + 8 * P, P, RW, ANON | FIXED)).toBe(-E.ENOMEM);
    poke(t.cpu.words, count, 1);
    expect(areas()).toEqual([[0, 8, RW]]);
    expectClean(t);
  });
});
