/**
 * Goal: a syscall that found no frame is tried again, one that failed otherwise is not, whatever
 * happens to memory after it. Method: syscalls on a machine whose frames somebody holds.
 */
import { describe, expect, it } from 'vitest';

import { allocFrame, freeFrame } from '../../kernel/frames/frames.ts';
import { memoryIsShort, wantsMemory } from '../../kernel/reclaim/watermarks.ts';
import { dispatch } from '../../kernel/syscalls/dispatch.ts';
import { EFAULT, ENOMEM } from '../../shared/abi/errno.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as M from '../../shared/abi/mman.ts';
import { SYS_GETRLIMIT, SYS_MMAP, SYS_MUNMAP } from '../../shared/abi/syscalls.ts';
import { expectClean, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const RW = M.PROT_READ | M.PROT_WRITE;
const FIXED = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
const BASE = 0x10000000;

function mmap(t: TestMachine, proc: number, at: number, pages = 1): number {
  return dispatch(t.cpu, proc, SYS_MMAP, at, pages * 4096, RW, FIXED, -1, 0);
}

function takeAllFrames({ cpu }: TestMachine): number[] {
  const taken: number[] = [];
  for (let pfn = allocFrame(cpu, FRAME.USED); pfn !== 0; pfn = allocFrame(cpu, FRAME.USED)) {
    taken.push(pfn);
  }
  return taken;
}

describe('wantsMemory', () => {
  it('says yes to an mmap that found no frame, also when there are some again', () => {
    const t = testMachine({ frames: 256 });
    const { proc } = testProcess(t);
    const taken = takeAllFrames(t);
    const result = mmap(t, proc, BASE);
    expect(result).toBe(-ENOMEM);
    expect(wantsMemory(t.cpu, result)).toBe(true);
    for (const pfn of taken) freeFrame(t.cpu, pfn);
    expect(memoryIsShort(t.machine)).toBe(false);
    expect(wantsMemory(t.cpu, result)).toBe(true);
    const again = mmap(t, proc, BASE);
    expect([again, wantsMemory(t.cpu, again)]).toEqual([BASE, false]);
    expectClean(t);
  });

  it('says yes to a copy to user memory that found no frame', () => {
    const t = testMachine({ frames: 256 });
    const { proc } = testProcess(t);
    expect(mmap(t, proc, BASE)).toBe(BASE);
    const taken = takeAllFrames(t);
    const result = dispatch(t.cpu, proc, SYS_GETRLIMIT, 9, BASE, 0, 0, 0, 0);
    expect([result, wantsMemory(t.cpu, result)]).toEqual([-EFAULT, true]);
    for (const pfn of taken) freeFrame(t.cpu, pfn);
    expectClean(t);
  });

  it('says no to failures for another reason, however short memory is', () => {
    const t = testMachine({ frames: 256 });
    const { proc } = testProcess(t);
    const taken = takeAllFrames(t);
    expect(memoryIsShort(t.machine)).toBe(true);
    const outside = dispatch(t.cpu, proc, SYS_MMAP, 0, 2 ** 45, RW, FIXED - M.MAP_FIXED, -1, 0);
    expect([outside, wantsMemory(t.cpu, outside)]).toEqual([-ENOMEM, false]);
    const unmapped = dispatch(t.cpu, proc, SYS_MUNMAP, BASE, 4096, 0, 0, 0, 0);
    expect([unmapped, wantsMemory(t.cpu, unmapped)]).toEqual([0, false]);
    for (const pfn of taken) freeFrame(t.cpu, pfn);
    expectClean(t);
  });
});
