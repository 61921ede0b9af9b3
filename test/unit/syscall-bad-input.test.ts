/*
 * Goal: no argument, however absurd, makes a syscall do anything but answer an errno or, where it
 * is no number at all, throw a TypeError; it leaves no lock held and nothing broken. Method: each
 * absurd number in each place of each syscall's arguments, the others being good; all pairs of a
 * few; then what is no number through the methods that programs have.
 */
import { describe, expect, it } from 'vitest';

import { errnoName } from '../../shared/abi/errno.ts';
import {
  MADV_DONTNEED,
  MCL_CURRENT,
  MREMAP_MAYMOVE,
  MS_SYNC,
  PROT_READ,
  RLIMIT_AS,
} from '../../shared/abi/mman.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import type { NumericSyscall, SyscallSpec } from '../../shared/abi/syscalls.ts';
import { checkNumbers } from '../../workers/cpu/runtime/proc-guard.ts';
import { syscallMethods } from '../../workers/cpu/runtime/syscall-methods.ts';
import { ANON, BASE, Kit, P, RW } from '../fixtures/errno-rules/kit.ts';
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

/** What means something for an argument of that name; 0 for the others. */
function meaningful(argument: string, kit: Kit): number {
  if (/^(address|oldAddress|vec|limit)$/.test(argument)) return BASE;
  if (argument === 'newLength') return 2 * P;
  if (/length$/i.test(argument)) return P;
  if (argument === 'fd') return kit.fds.rw;
  if (argument === 'resource') return RLIMIT_AS;
  if (argument === 'prot') return PROT_READ;
  return argument === 'advice' ? MADV_DONTNEED : 0;
}

/** Where names do not say it all. */
const OTHERWISE: Readonly<Partial<Record<NumericSyscall, Readonly<Record<string, number>>>>> = {
  mmap: { address: BASE + 16 * P, prot: RW, flags: ANON, fd: -1 },
  mremap: { flags: MREMAP_MAYMOVE },
  brk: { address: 0 },
  msync: { flags: MS_SYNC },
  mlockall: { flags: MCL_CURRENT },
};

function good(name: NumericSyscall, kit: Kit): number[] {
  const { names } = SYSCALLS[name];
  return names.map((argument) => OTHERWISE[name]?.[argument] ?? meaningful(argument, kit));
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
    const method = methods[SYSCALLS[name].method] as (...args: unknown[]) => unknown;
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
