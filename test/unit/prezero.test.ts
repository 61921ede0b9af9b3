/*
 * Goal: frames zeroed ahead are the ones that are handed out next, they are zero when a program
 * reads them, and a frame that was written is never taken for one. Method: a machine of one thread;
 * what zeroFrame did is seen by dirtying a frame behind its back.
 */
import { describe, expect, it } from 'vitest';

import { audit } from '../../kernel/audit/audit.ts';
import { allocFrame, drainCache, putFrame } from '../../kernel/frames/frames.ts';
import { prezero } from '../../kernel/frames/prezero.ts';
import { frameField, frameWord, zeroFrame } from '../../kernel/machine/machine.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { testMachine } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

/** Zeroes `frames` free ones, in as many calls as it takes. */
function prezeroAll({ cpu }: TestMachine, frames: number): number {
  let total = 0;
  for (let zeroed = 1; zeroed > 0; total += zeroed) zeroed = prezero(cpu, frames);
  return total;
}

/** Takes all cached frames back, so that the next allocation comes from the buddy allocator. */
function emptyCache({ cpu }: TestMachine): void {
  drainCache(cpu, peek(cpu.words, cpu.base + CPU.CACHE_COUNT));
}

function isMarked({ cpu, machine }: TestMachine, pfn: number): boolean {
  return (peek(cpu.words, frameField(machine, pfn, FRAME.STATE)) & FRAME.ZEROED) !== 0;
}

describe('zeroing ahead', () => {
  it('marks exactly the frames that are handed out next', () => {
    const t = testMachine({ checked: false });
    emptyCache(t);
    expect(prezeroAll(t, 100)).toBe(100);
    expect(prezeroAll(t, 100)).toBe(0);
    const marks = Array.from({ length: 200 }, () => isMarked(t, allocFrame(t.cpu, FRAME.USED)));
    // The batch in which the hundredth lies is handed out in an order of its own.
    expect(marks.slice(0, 88)).toEqual(Array(88).fill(true));
    expect(marks.filter(Boolean)).toHaveLength(100);
  });

  it('spares zeroFrame its work once', () => {
    const t = testMachine({ checked: false });
    emptyCache(t);
    prezeroAll(t, 64);
    const pfn = allocFrame(t.cpu, FRAME.USED);
    const at = frameWord(t.machine, pfn);
    poke(t.cpu.words, at, 7);
    zeroFrame(t.machine, pfn);
    expect(peek(t.cpu.words, at)).toBe(7);
    zeroFrame(t.machine, pfn);
    expect(peek(t.cpu.words, at)).toBe(0);
  });

  it('does not take a frame for zero that was used without being zeroed', () => {
    const t = testMachine({ checked: false });
    emptyCache(t);
    prezeroAll(t, 64);
    const pfn = allocFrame(t.cpu, FRAME.USED);
    poke(t.cpu.words, frameWord(t.machine, pfn) + 5, 7);
    putFrame(t.cpu, pfn);
    expect(isMarked(t, pfn)).toBe(false);
    expect(allocFrame(t.cpu, FRAME.USED)).toBe(pfn);
    zeroFrame(t.machine, pfn);
    expect(peek(t.cpu.words, frameWord(t.machine, pfn) + 5)).toBe(0);
  });

  it('replaces poison, and a checked machine sees a write after it', () => {
    const t = testMachine({ checked: true });
    const used = allocFrame(t.cpu, FRAME.USED);
    putFrame(t.cpu, used);
    emptyCache(t);
    const free = t.machine.frames - 1;
    expect(prezeroAll(t, free)).toBe(free);
    expect(audit(t.cpu).violations).toEqual([]);
    poke(t.cpu.words, frameWord(t.machine, used) + 9, 1);
    expect(() => {
      for (let i = 0; i < free; i++) allocFrame(t.cpu, FRAME.USED);
    }).toThrow('written after free');
  });
});
