/*
 * Goal: the differential test draws every syscall of the table, or says why not. Method: the calls
 * of many generated sequences against the table, and against the list of expected outcomes.
 */
import { describe, expect, it } from 'vitest';

import { EXPECTED, NOT_DRAWN } from '../../lab/difftest/coverage.ts';
import { generateSequence } from '../../lab/difftest/generator.ts';
import { preparedFor, takenArguments } from '../../lab/difftest/prepared-memory.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';

const OPTIONS = {
  calls: new Set(Object.keys(EXPECTED)),
  mayBePrivileged: true,
  capabilities: [],
  mayBeCrowded: true,
};
const ops = Array.from({ length: 400 }, (_, seed) => generateSequence(seed, OPTIONS).ops).flat();

describe('the generator', () => {
  it.each(Object.keys(SYSCALLS))('draws %s, or a reason is given', (name) => {
    const isDrawn = ops.some(({ call }) => call === name);
    const reason = (NOT_DRAWN as Readonly<Record<string, string>>)[name];
    expect([isDrawn, reason === undefined]).toEqual([!(name in NOT_DRAWN), isDrawn]);
  });

  it('draws every call whose outcomes are listed, and no other', () => {
    expect(new Set(ops.map(({ call }) => call))).toEqual(OPTIONS.calls);
  });

  it('gives no call more arguments than it takes', () => {
    for (const { call, args } of ops) {
      if (!(call in SYSCALLS)) continue;
      const { names } = SYSCALLS[call as keyof typeof SYSCALLS];
      expect(takenArguments(call, args.length), call).toBeLessThanOrEqual(names.length);
    }
  });
});

describe('what stands in memory for a call', () => {
  it('is a struct rlimit or a name, where there are arguments for it', () => {
    expect(preparedFor('setrlimit', [3, 100])).toBe(null);
    expect(preparedFor('munmap', [3, 100])).toBe(null);
    const limits = [255, 255, 255, 255, 255, 255, 255, 255, 2, 1, 0, 0, 0, 0, 0, 0];
    expect(preparedFor('setrlimit', [3, 100, -1, 258])).toEqual({ address: 100, bytes: limits });
    expect(preparedFor('prlimit', [0, 3, 7, 0, -1, 258])).toEqual({ address: 7, bytes: limits });
    expect(preparedFor('prctl', [1, 0, 0, 4096, 9, 1])).toEqual({ address: 9, bytes: [120, 0] });
  });
});
