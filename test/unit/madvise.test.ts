/*
 * Goal: each advice does what Linux does, to each kind of area, and refuses where Linux refuses.
 * The table was found by execution on 6.18; the rest is what a program sees of the contents.
 */
import { beforeEach, describe, expect, it } from 'vitest';

import { PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { FLUSH_POLICIES } from '../../kernel/machine/flush-policies.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { TRY_KERNEL } from '../../kernel/machine/wait-codes.ts';
import { sysMadvise } from '../../kernel/syscalls/madvise.ts';
import * as F from '../../kernel/machine/area-flags.ts';
import { attachCpu } from '../../kernel/machine/cpu.ts';
import { leaveKernel } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { poke } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { USER_SPACE_END } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { Arena, NONE, P, R, RW, SHARED_ANON } from '../support/kernel-arena.ts';
import { expectClean } from '../support/kernel-helpers.ts';

const { EACCES, EINVAL, ENOMEM, EPERM } = E;

let a: Arena;

beforeEach(() => {
  a = new Arena();
});

/** Kinds of areas, as maps of page 0 to 3. */
const KINDS: Readonly<Record<string, () => void>> = {
  private: () => a.map(0, 4),
  'private without access': () => a.map(0, 4, NONE),
  'shared anonymous': () => a.map(0, 4, RW, SHARED_ANON),
  'shared file': () => a.map(0, 4, RW, M.MAP_SHARED, a.memfd(4)),
  'private file': () => a.map(0, 4, R, M.MAP_PRIVATE, a.memfd(4)),
};
type Row = readonly [string, number, ...number[]];

/** The advice, and what each kind of area answers, in the order above. */
const ANSWERS: readonly Row[] = [
  ['NORMAL', M.MADV_NORMAL, 0, 0, 0, 0, 0],
  ['RANDOM', M.MADV_RANDOM, 0, 0, 0, 0, 0],
  ['SEQUENTIAL', M.MADV_SEQUENTIAL, 0, 0, 0, 0, 0],
  ['WILLNEED', M.MADV_WILLNEED, 0, 0, 0, 0, 0],
  ['DONTNEED', M.MADV_DONTNEED, 0, 0, 0, 0, 0],
  ['FREE', M.MADV_FREE, 0, 0, -EINVAL, -EINVAL, -EINVAL],
  ['REMOVE', M.MADV_REMOVE, -EINVAL, -EINVAL, 0, 0, -EACCES],
  ['DONTFORK', M.MADV_DONTFORK, 0, 0, 0, 0, 0],
  ['DOFORK', M.MADV_DOFORK, 0, 0, 0, 0, 0],
  ['MERGEABLE', M.MADV_MERGEABLE, 0, 0, 0, 0, 0],
  ['UNMERGEABLE', M.MADV_UNMERGEABLE, 0, 0, 0, 0, 0],
  ['HUGEPAGE', M.MADV_HUGEPAGE, 0, 0, 0, 0, 0],
  ['NOHUGEPAGE', M.MADV_NOHUGEPAGE, 0, 0, 0, 0, 0],
  ['DONTDUMP', M.MADV_DONTDUMP, 0, 0, 0, 0, 0],
  ['DODUMP', M.MADV_DODUMP, 0, 0, 0, 0, 0],
  ['WIPEONFORK', M.MADV_WIPEONFORK, 0, 0, -EINVAL, -EINVAL, -EINVAL],
  ['KEEPONFORK', M.MADV_KEEPONFORK, 0, 0, 0, 0, 0],
  ['COLD', M.MADV_COLD, 0, 0, 0, 0, 0],
  ['PAGEOUT', M.MADV_PAGEOUT, 0, 0, 0, 0, 0],
  ['POPULATE_READ', M.MADV_POPULATE_READ, 0, -EINVAL, 0, 0, 0],
  ['POPULATE_WRITE', M.MADV_POPULATE_WRITE, 0, -EINVAL, 0, 0, -EINVAL],
  ['DONTNEED_LOCKED', M.MADV_DONTNEED_LOCKED, 0, 0, 0, 0, 0],
  ['COLLAPSE', M.MADV_COLLAPSE, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL],
  ['HWPOISON', M.MADV_HWPOISON, -EPERM, -EPERM, -EPERM, -EPERM, -EPERM],
  ['GUARD_INSTALL', M.MADV_GUARD_INSTALL, 0, 0, 0, 0, 0],
  ['GUARD_REMOVE', M.MADV_GUARD_REMOVE, 0, 0, 0, 0, 0],
  ['no advice', 99, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL],
];

describe.each(Object.keys(KINDS))('%s memory', (kind) => {
  const index = Object.keys(KINDS).indexOf(kind);
  it.each(ANSWERS.map((row) => [row[0], row[1], row[2 + index]] as const))(
    'answers %s (%i) with %i',
    (_name, advice, answer) => {
      KINDS[kind]?.();
      expect(a.advise(0, 4, advice)).toBe(answer);
      expectClean(a.t);
    },
  );
});

describe('the checks before', () => {
  it.each([
    ['a fraction', 0.5, P, M.MADV_DONTNEED, -EINVAL],
    ['no number', 0, NaN, M.MADV_DONTNEED, -EINVAL],
    ['an address within a page', 1, 0, M.MADV_NORMAL, -EINVAL],
    ['no advice, though the length is 0', 0, 0, 77, -EINVAL],
    ['length 0', 0, 0, M.MADV_DONTNEED, 0],
    ['length 0 where nothing is mapped', 64 * P, 0, M.MADV_GUARD_INSTALL, 0],
    ['a length that rounds up to 0', 0, -1, M.MADV_DONTNEED, -EINVAL],
    ['… given without its sign', 0, 2 ** 64 - 2048, M.MADV_DONTNEED, -EINVAL],
    ['a range that wraps', 0, -P, M.MADV_DONTNEED, -EINVAL],
    ['what no register holds', 0, -(2 ** 70), M.MADV_DONTNEED, -EINVAL],
    ['more than there is', 0, USER_SPACE_END, M.MADV_NORMAL, -ENOMEM],
    ['more than there is, to populate', 0, 2 ** 52, M.MADV_POPULATE_READ, -ENOMEM],
    ['a range above user space', USER_SPACE_END, P, M.MADV_DONTNEED, -ENOMEM],
  ] as const)('refuse or pass %s', (_what, offset, length, advice, answer) => {
    a.map(0, 4);
    const at = offset === USER_SPACE_END ? offset : a.at(0) + offset;
    expect(a.call(S.SYS_MADVISE, at, length, advice)).toBe(answer);
    expectClean(a.t);
  });

  it('go from area to area, and over holes to the end', () => {
    a.map(0, 2);
    a.map(3, 1);
    for (const page of [0, 1, 3]) a.write(page, 5);
    expect(a.advise(0, 4, M.MADV_DONTNEED)).toBe(-ENOMEM);
    expect([0, 1, 3].map((page) => a.read(page))).toEqual([0, 0, 0]);
    // A refusal ends it.
    a.map(1, 1, RW, SHARED_ANON);
    for (const page of [0, 1, 3]) a.write(page, 6);
    expect(a.advise(0, 4, M.MADV_WIPEONFORK)).toBe(-EINVAL);
    const wiped = a.areas().map(([, , flags]) => (flags & F.AREA_WIPEONFORK) !== 0);
    expect(wiped).toEqual([true, false, false]);
    expectClean(a.t);
  });
});

describe('DONTNEED', () => {
  it.each(PROTOCOL_NAMES)('takes private pages away under %s: they are zero again', (protocol) => {
    a = new Arena({ protocol });
    a.map(0, 6);
    const used = frameUsage(a.t.machine).used;
    for (let page = 0; page < 6; page++) a.write(page, 1);
    expect(a.advise(1, 4, M.MADV_DONTNEED)).toBe(0);
    expect(frameUsage(a.t.machine).used).toBe(used + 2);
    expect(a.mincore(0, 6)).toEqual([1, 0, 0, 0, 0, 1]);
    expect([0, 1, 4, 5].map((page) => a.read(page))).toEqual([1, 0, 0, 1]);
    expectClean(a.t);
  });

  it.each(FLUSH_POLICIES)('waits for its flush under the policy %s', (flushPolicy) => {
    a = new Arena({ flushPolicy });
    a.map(0, 2);
    a.write(0, 1);
    const before = a.cpu.words[a.space + SPACE.TLB_GEN] as number;
    expect(a.advise(0, 2, M.MADV_DONTNEED)).toBe(0);
    // What comes lazily would advance another word: the page may be touched again at once.
    expect(a.cpu.words[a.space + SPACE.TLB_GEN]).toBe(before + 1);
    expectClean(a.t);
  });

  it('brings back what the file has, and leaves a shared object’s pages alone', () => {
    const fd = a.memfd(2);
    a.map(0, 2, RW, M.MAP_SHARED, fd);
    a.map(4, 2, RW, M.MAP_PRIVATE, fd);
    a.write(0, 7);
    expect(a.read(4)).toBe(7);
    a.write(4, 8);
    expect(a.advise(0, 2, M.MADV_DONTNEED)).toBe(0);
    expect(a.advise(4, 2, M.MADV_DONTNEED)).toBe(0);
    expect([a.read(0), a.read(4)]).toEqual([7, 7]);
    expectClean(a.t);
  });

  it('of memory that may not be accessed works', () => {
    a.map(0, 1);
    a.write(0, 1);
    a.protect(0, 1, NONE);
    expect(a.advise(0, 1, M.MADV_DONTNEED)).toBe(0);
    a.protect(0, 1, R);
    expect(a.read(0)).toBe(0);
    expectClean(a.t);
  });

  it('and FREE: the contents may stay until they are needed', () => {
    a.map(0, 1);
    a.write(0, 1);
    expect(a.advise(0, 1, M.MADV_FREE)).toBe(0);
    expect([0, 1]).toContain(a.read(0));
    a.write(0, 2);
    expect(a.read(0)).toBe(2);
    expectClean(a.t);
  });
});

describe('REMOVE', () => {
  it('punches a hole that every mapping sees', () => {
    const fd = a.memfd(4);
    a.map(0, 4, RW, M.MAP_SHARED, fd);
    a.map(8, 4, R, M.MAP_SHARED, fd);
    for (let page = 0; page < 4; page++) a.write(page, 1);
    expect([a.read(9), a.read(11)]).toEqual([1, 1]);
    const used = frameUsage(a.t.machine).used;
    expect(a.advise(1, 2, M.MADV_REMOVE)).toBe(0);
    expect(frameUsage(a.t.machine).used).toBe(used - 2);
    expect([8, 9, 10, 11].map((page) => a.read(page))).toEqual([1, 0, 0, 1]);
    expect(a.read(1)).toBe(0);
    expectClean(a.t);
  });

  it('is the kernel worker’s to do', () => {
    a.map(0, 1, RW, SHARED_ANON);
    const other = attachCpu(a.t.machine, 1);
    enterKernel(other);
    expect(sysMadvise(other, a.proc, a.at(0), P, M.MADV_REMOVE)).toBe(-TRY_KERNEL);
    leaveKernel(other);
    expectClean(a.t);
  });

  it('wants a descriptor that may be written, whatever the mapping allows', () => {
    a.map(0, 1, R, SHARED_ANON);
    expect(a.advise(0, 1, M.MADV_REMOVE)).toBe(0);
    expectClean(a.t);
  });
});

describe('advice that is kept', () => {
  it.each([
    [M.MADV_DONTFORK, M.MADV_DOFORK, F.AREA_DONTFORK],
    [M.MADV_WIPEONFORK, M.MADV_KEEPONFORK, F.AREA_WIPEONFORK],
    [M.MADV_RANDOM, M.MADV_NORMAL, F.AREA_RANDOM],
    [M.MADV_SEQUENTIAL, M.MADV_NORMAL, F.AREA_SEQUENTIAL],
    [M.MADV_HUGEPAGE, M.MADV_NOHUGEPAGE, F.AREA_HUGEPAGE],
    [M.MADV_MERGEABLE, M.MADV_UNMERGEABLE, F.AREA_MERGEABLE],
    [M.MADV_DONTDUMP, M.MADV_DODUMP, F.AREA_DONTDUMP],
  ])('%i divides an area, and %i joins it again', (on, off, flag) => {
    a.map(0, 4);
    a.write(1, 5);
    const plain = a.areas();
    if (off === M.MADV_NOHUGEPAGE) expect(a.advise(0, 4, off)).toBe(0);
    expect(a.advise(1, 2, on)).toBe(0);
    expect(a.areas().map(([page]) => page)).toEqual([0, 1, 3]);
    expect(a.areas().map(([, , flags]) => (flags & flag) !== 0)).toEqual([false, true, false]);
    expect(a.advise(0, 4, off)).toBe(0);
    expect(a.areas()).toHaveLength(plain.length);
    expect(a.read(1)).toBe(5);
    expectClean(a.t);
  });

  it('is EAGAIN where it cannot divide an area', () => {
    a.map(0, 4);
    poke(a.cpu.words, BOOT.MAP_COUNT_MAX, 1);
    expect(a.advise(1, 1, M.MADV_DONTFORK)).toBe(-E.EAGAIN);
    expect(a.advise(1, 1, M.MADV_WILLNEED)).toBe(0);
    expect(a.advise(0, 4, M.MADV_DONTFORK)).toBe(0);
    expectClean(a.t);
  });

  it('changes nothing in memory that is not private for same-page merging', () => {
    a.map(0, 4, RW, SHARED_ANON);
    expect(a.advise(1, 2, M.MADV_MERGEABLE)).toBe(0);
    expect(a.areas()).toHaveLength(1);
    expectClean(a.t);
  });

  it('cannot undo what droppable memory is', () => {
    a.map(0, 1, RW, M.MAP_DROPPABLE | M.MAP_ANONYMOUS);
    expect(a.advise(0, 1, M.MADV_KEEPONFORK)).toBe(-EINVAL);
    expect(a.advise(0, 1, M.MADV_DODUMP)).toBe(-EINVAL);
    expect(a.advise(0, 1, M.MADV_WIPEONFORK)).toBe(0);
    expectClean(a.t);
  });
});

describe('locked and sealed memory', () => {
  /** Sets a flag of all areas: the syscalls for it are tested elsewhere. */
  function setFlag(flag: number): void {
    a.call(flag === F.AREA_SEALED ? S.SYS_MSEAL : S.SYS_MLOCK, a.at(0), 4 * P, 0);
    expect(a.areas().every(([, , flags]) => (flags & flag) !== 0)).toBe(true);
  }
  const LOCKED = [
    M.MADV_DONTNEED,
    M.MADV_FREE,
    M.MADV_COLD,
    M.MADV_PAGEOUT,
    M.MADV_GUARD_INSTALL,
    M.MADV_REMOVE,
  ];
  const DISCARDS = [
    M.MADV_DONTNEED,
    M.MADV_DONTNEED_LOCKED,
    M.MADV_FREE,
    M.MADV_REMOVE,
    M.MADV_DONTFORK,
    M.MADV_WIPEONFORK,
    M.MADV_GUARD_INSTALL,
  ];

  it('refuses, locked, what would take its pages', () => {
    a.map(0, 4, RW, SHARED_ANON);
    setFlag(F.AREA_LOCKED);
    for (const advice of LOCKED)
      expect([advice, a.advise(0, 4, advice)]).toEqual([advice, -EINVAL]);
    expect(a.advise(0, 4, M.MADV_DONTNEED_LOCKED)).toBe(0);
    expect(a.advise(0, 4, M.MADV_GUARD_REMOVE)).toBe(0);
    expectClean(a.t);
  });

  it('refuses, sealed, to be discarded while it cannot be written', () => {
    a.map(0, 4, R);
    setFlag(F.AREA_SEALED);
    for (const [, advice, answer] of ANSWERS) {
      const refused = DISCARDS.includes(advice)
        ? -EPERM
        : advice === M.MADV_POPULATE_WRITE
          ? -EINVAL
          : answer;
      expect([advice, a.advise(0, 4, advice)]).toEqual([advice, refused]);
    }
    expectClean(a.t);
  });

  it('discards, sealed, what it could write anyway, and files', () => {
    a.map(0, 2);
    a.map(2, 2, R, M.MAP_PRIVATE, a.memfd(2));
    setFlag(F.AREA_SEALED);
    expect(a.advise(0, 4, M.MADV_DONTNEED)).toBe(0);
    expectClean(a.t);
  });
});
