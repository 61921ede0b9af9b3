/*
 * Goal: no argument, however absurd, makes a syscall do anything but answer an errno or, where it
 * is no number at all, throw a TypeError; it leaves no lock held and nothing broken. Method: each
 * absurd number in each place of each syscall's arguments, the others being good; all pairs of a
 * few; then what is no number through the methods that programs have.
 */
import { describe, expect, it } from 'vitest';

import { errnoName } from '../../shared/abi/errno.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import type { NumericSyscall, SyscallSpec } from '../../shared/abi/syscalls.ts';
import { checkNumbers } from '../../workers/cpu/runtime/proc-guard.ts';
import { syscallMethods } from '../../workers/cpu/runtime/syscall-methods.ts';
import { BASE, Kit, P } from '../fixtures/errno-rules/kit.ts';
import { expectClean } from '../support/kernel-helpers.ts';

/** No integers: nothing of Linux corresponds to them. */
const NO_INTEGERS = [NaN, Infinity, -Infinity, 0.5, -0.5, 4096.25];
/** Integers beyond what a program can mean. */
const ABSURD = [
  -1,
  -P,
  -(2 ** 42),
  2 ** 31,
  2 ** 32,
  2 ** 42 - 1,
  2 ** 42,
  2 ** 47,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 63,
  2 ** 64 - P,
  2 ** 64,
  -(2 ** 63),
  1e300,
  -0,
];
const NO_NUMBERS: readonly unknown[] = [
  '1',
  '',
  'abc',
  {},
  [],
  null,
  undefined,
  true,
  1n,
  Symbol(),
];

const syscalls = Object.entries(SYSCALLS) as [NumericSyscall, SyscallSpec][];

/** Arguments that mean something: addresses of the arena where there are addresses. */
const MEANINGFUL: Readonly<Partial<Record<NumericSyscall, (kit: Kit) => number[]>>> = {
  mmap: () => [BASE + 16 * P, P, 3, 0x22, -1, 0],
  munmap: () => [BASE, P],
  mprotect: () => [BASE, P, 1],
  mremap: () => [BASE, P, 2 * P, 1, 0],
  brk: () => [0],
  madvise: () => [BASE, P, 4],
  mincore: () => [BASE, P, BASE],
  msync: () => [BASE, P, 4],
  mlock: () => [BASE, P],
  mlock2: () => [BASE, P, 0],
  munlock: () => [BASE, P],
  mlockall: () => [1],
  mseal: () => [BASE, P, 0],
  getrlimit: () => [9, BASE],
  setrlimit: () => [9, BASE],
  read: (kit) => [kit.fds.rw, BASE, 16],
  write: (kit) => [kit.fds.rw, BASE, 16],
  pread: (kit) => [kit.fds.rw, BASE, 16, 0],
  pwrite: (kit) => [kit.fds.rw, BASE, 16, 0],
  lseek: (kit) => [kit.fds.rw, 0, 0],
  ftruncate: (kit) => [kit.fds.rw, P],
  close: (kit) => [kit.fds.rw],
};

function good(name: NumericSyscall, kit: Kit): number[] {
  const { required, defaults } = SYSCALLS[name];
  const zeros = [...new Array<number>(required).fill(0), ...defaults];
  return MEANINGFUL[name]?.(kit) ?? zeros;
}

/** A success, or a negative errno that has a name. */
function expectAnswer(name: string, args: readonly number[], result: number): void {
  const what = `${name}(${args.join(', ')})`;
  expect(Number.isSafeInteger(result), `${what} is ${result}`).toBe(true);
  if (result < 0) expect(errnoName(-result), what).toMatch(/^E[A-Z]/);
}

describe.each(syscalls)('%s', (name) => {
  it('refuses what is no integer', () => {
    const kit = new Kit();
    const args = good(name, kit);
    for (const value of NO_INTEGERS) {
      args.forEach((_, index) => {
        const bad = args.with(index, value);
        const result = kit.sys[name](...bad);
        expectAnswer(name, bad, result);
        // brk has no errors: it answers the break.
        if (name !== 'brk') expect(result, `${name}(${bad.join(', ')})`).toBeLessThan(0);
      });
    }
    expectClean(kit.t);
  });

  it('answers absurd numbers', () => {
    for (let index = 0; index < good(name, new Kit()).length; index++) {
      const kit = new Kit();
      for (const value of ABSURD) {
        const args = good(name, kit).with(index, value);
        expectAnswer(name, args, kit.sys[name](...args));
      }
      expectClean(kit.t);
    }
  });

  it('answers two absurd numbers at once', () => {
    const kit = new Kit();
    const args = good(name, kit);
    for (let i = 0; i < args.length; i++) {
      for (let j = i + 1; j < args.length; j++) {
        for (const a of ABSURD) {
          for (const b of [...ABSURD, NaN]) {
            const bad = args.with(i, a).with(j, b);
            expectAnswer(name, bad, kit.sys[name](...bad));
          }
        }
      }
    }
    expectClean(kit.t);
  });

  it('throws a TypeError for what is no number', () => {
    const kit = new Kit();
    const methods = syscallMethods<Record<string, (...args: unknown[]) => unknown>>(
      (called, _number, given) => {
        checkNumbers(called, given);
        return kit.sys[called](...given);
      },
    );
    const method = methods[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] as (
      ...args: unknown[]
    ) => unknown;
    const args = good(name, kit);
    const { required } = SYSCALLS[name];
    for (const value of NO_NUMBERS) {
      for (let index = 0; index < required; index++) {
        const bad = (args as unknown[]).with(index, value);
        expect(() => method(...bad), `${name} of a ${typeof value}`).toThrow(TypeError);
      }
    }
    if (required > 0) expect(() => method()).toThrow(TypeError);
    expectClean(kit.t);
  });
});
