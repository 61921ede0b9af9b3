/*
 * Goal: the frame allocator loses nothing, hands nothing out twice, and notices misuse. Method:
 * random allocations against a set of the frames in use, misuse by hand, and the audit at the end.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { buddyAlloc, buddyFree, frameState, setFrameState } from '../../kernel/frames/buddy.ts';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import {
  allocFrame,
  drainCache,
  frameRefs,
  freeFrame,
  getFrame,
  putFrame,
} from '../../kernel/frames/frames.ts';
import { frameField, frameWord } from '../../kernel/machine/machine.ts';
import { createObject, putObject } from '../../kernel/objects/object.ts';
import { slabAlloc, slabFree, slabLive } from '../../kernel/frames/slab.ts';
import { peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { BUDDY_ORDERS, PAGE_SIZE } from '../../shared/limits.ts';
import { expectClean, testMachine } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

function freeHeads(t: TestMachine): number[][] {
  return [...Array(BUDDY_ORDERS).keys()].map((order) => {
    const heads: number[] = [];
    let pfn = peek(t.cpu.words, BOOT.FREE_HEADS + order);
    for (; pfn !== 0; pfn = peek(t.cpu.words, frameField(t.machine, pfn, FRAME.LINK)))
      heads.push(pfn);
    return heads.sort((x, y) => x - y);
  });
}

function freeFrames(t: TestMachine): number {
  return peek(t.cpu.words, BOOT.FREE_FRAMES);
}

/** A block in use is a run of used frames with a holder each, so that the audit can say so. */
function use(t: TestMachine, pfn: number, order: number): number[] {
  const frames = [...Array(1 << order).keys()].map((i) => pfn + i);
  for (const frame of frames) {
    setFrameState(t.machine, frame, FRAME.USED, 0);
    poke(t.cpu.words, frameField(t.machine, frame, FRAME.COUNT), 1);
  }
  return frames;
}

describe('buddy', () => {
  it.each([256, 1000, 1024, 4096, 5000])('gives out and takes back all of %d frames', (frames) => {
    const t = testMachine({ frames });
    const seeded = freeHeads(t);
    expect(freeFrames(t)).toBe(frames - 1);
    for (let order = BUDDY_ORDERS - 1; order >= 0; order--) {
      const blocks: number[] = [];
      for (let pfn = buddyAlloc(t.cpu, order); pfn !== 0; pfn = buddyAlloc(t.cpu, order)) {
        expect(pfn % (1 << order)).toBe(0);
        expect(pfn + (1 << order)).toBeLessThanOrEqual(frames);
        blocks.push(pfn);
      }
      expect(new Set(blocks).size).toBe(blocks.length);
      if (order === 0) expect(freeFrames(t)).toBe(0);
      for (const pfn of blocks) buddyFree(t.cpu, pfn, order);
      // Everything coalesced again: the lists are what they were at boot.
      expect(freeHeads(t)).toEqual(seeded);
    }
    expect(freeFrames(t)).toBe(frames - 1);
    expect(peek(t.cpu.words, BOOT.FREE_LOW)).toBe(0);
    expectClean(t);
  });

  it('equals a model of which frames are in use', () => {
    const step = fc.oneof(
      fc.record({ order: fc.integer({ min: 0, max: BUDDY_ORDERS - 1 }) }),
      fc.record({ free: fc.nat() }),
    );
    let exhausted = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const t = testMachine({ frames: 1500 });
        const seeded = freeHeads(t);
        const inUse = new Map<number, number>();
        const frames = new Set<number>();
        for (const one of steps) {
          if ('order' in one) {
            const pfn = buddyAlloc(t.cpu, one.order);
            if (pfn === 0) exhausted++;
            else inUse.set(pfn, one.order);
            for (const frame of pfn === 0 ? [] : use(t, pfn, one.order)) {
              expect(frames.has(frame)).toBe(false);
              frames.add(frame);
            }
          } else if (inUse.size > 0) {
            const [pfn, order] = [...inUse][one.free % inUse.size] as [number, number];
            inUse.delete(pfn);
            for (let i = 0; i < 1 << order; i++) {
              frames.delete(pfn + i);
              setFrameState(t.machine, pfn + i, FRAME.FREE, 0);
            }
            buddyFree(t.cpu, pfn, order);
          }
          expect(freeFrames(t)).toBe(1499 - frames.size);
        }
        for (const [pfn, order] of inUse) {
          for (let i = 0; i < 1 << order; i++) setFrameState(t.machine, pfn + i, FRAME.FREE, 0);
          buddyFree(t.cpu, pfn, order);
        }
        expect(freeHeads(t)).toEqual(seeded);
        expectClean(t);
      }),
      { seed: 30, numRuns: 60 },
    );
    expect(exhausted).toBeGreaterThan(10);
  });

  it('panics when a block is freed twice or is not a block', () => {
    const t = testMachine({ frames: 1024 });
    const pfn = buddyAlloc(t.cpu, 3);
    buddyFree(t.cpu, pfn, 3);
    const head = freeHeads(t).flat().find((one) => one <= pfn) ?? 0; // prettier-ignore
    expect(() => buddyFree(t.cpu, head, 0)).toThrow('freed twice');
    for (const order of [-1, BUDDY_ORDERS]) {
      const other = testMachine({ frames: 1024 });
      expect(() => buddyAlloc(other.cpu, order)).toThrow('takeBlock: order');
    }
    const other = testMachine({ frames: 1024 });
    expect(() => buddyFree(other.cpu, 1023, 1)).toThrow('giveBlock: pfn');
  });
});

describe('frames', () => {
  it('come from the CPU’s cache, in batches, and go back when it overflows', () => {
    const t = testMachine({ frames: 4096 });
    const { cpu, machine } = t;
    const cached = () => peek(cpu.words, cpu.base + CPU.CACHE_COUNT);
    const frames = [allocFrame(cpu, FRAME.USED)];
    expect(machine.cacheBatch).toBe(8);
    expect([cached(), freeFrames(t)]).toEqual([7, 4095 - 8]);
    for (let i = 0; i < 40; i++) frames.push(allocFrame(cpu, FRAME.USED));
    for (const pfn of frames) {
      freeFrame(cpu, pfn);
      expect(cached()).toBeLessThanOrEqual(16);
    }
    expect(freeFrames(t) + cached()).toBe(4095);
    drainCache(cpu, cached());
    expect(freeFrames(t)).toBe(4095);
    expectClean(t);
  });

  it('are exhausted by a result, and all come back', () => {
    const t = testMachine({ frames: 300 });
    const seeded = freeHeads(t);
    const frames = new Set<number>();
    for (;;) {
      const pfn = allocFrame(t.cpu, FRAME.USED);
      if (pfn === 0) break;
      frames.add(pfn);
    }
    expect(frames.size).toBe(299);
    expect(allocFrame(t.cpu, FRAME.USED)).toBe(0);
    expect(slabAlloc(t.cpu, SLAB.AREA)).toBe(0);
    for (const pfn of frames) putFrame(t.cpu, pfn);
    drainCache(t.cpu, peek(t.cpu.words, t.cpu.base + CPU.CACHE_COUNT));
    expect(freeHeads(t)).toEqual(seeded);
    expectClean(t);
  });

  it('belong to one of two CPUs at a time', () => {
    const t = testMachine({ frames: 1024 });
    const other = t.cpus[1] as Cpu;
    enterKernel(other);
    const frames = new Set<number>();
    let turn = 0;
    for (;;) {
      const pfn = allocFrame([t.cpu, other][turn % 2] as Cpu, FRAME.USED);
      if (pfn === 0) break;
      expect(frames.has(pfn)).toBe(false);
      frames.add(pfn);
      turn++;
    }
    // What the other CPU's cache holds is out of reach, by contract.
    expect(frames.size).toBeGreaterThanOrEqual(1023 - 2 * t.machine.cacheBatch);
    for (const pfn of frames) freeFrame([other, t.cpu][turn++ % 2] as Cpu, pfn);
    for (const cpu of [t.cpu, other]) drainCache(cpu, peek(cpu.words, cpu.base + CPU.CACHE_COUNT));
    expect(freeFrames(t)).toBe(1023);
  });

  it('are freed by the last reference', () => {
    const t = testMachine();
    const pfn = allocFrame(t.cpu, FRAME.USED);
    expect(frameRefs(t.machine, pfn)).toBe(1);
    getFrame(t.cpu, pfn);
    putFrame(t.cpu, pfn);
    expect(frameState(t.machine, pfn)).toBe(FRAME.USED);
    putFrame(t.cpu, pfn);
    expect(frameState(t.machine, pfn)).toBe(FRAME.CACHED);
    expectClean(t);
  });

  it('panic when they are freed or taken up again after their end', () => {
    const misuse: [(cpu: Cpu, pfn: number) => void, string][] = [
      [(cpu, pfn) => freeFrame(cpu, pfn), 'freeFrame: not in use'],
      [(cpu, pfn) => putFrame(cpu, pfn), 'putFrame: frame is free'],
      [(cpu, pfn) => getFrame(cpu, pfn), 'getFrame: frame is free'],
    ];
    for (const [misused, message] of misuse) {
      const t = testMachine();
      const pfn = allocFrame(t.cpu, FRAME.USED);
      freeFrame(t.cpu, pfn);
      expect(() => misused(t.cpu, pfn)).toThrow(message);
    }
    const t = testMachine();
    expect(() => freeFrame(t.cpu, 0)).toThrow('freeFrame: not in use');
    expect(() => freeFrame(t.cpu, 2000)).toThrow('freeFrame: not in use');
  });

  it.each([0, 500, 1023])('show a write after their end at word %d', (word) => {
    const t = testMachine({ checked: true });
    const pfn = allocFrame(t.cpu, FRAME.USED);
    freeFrame(t.cpu, pfn);
    poke(t.cpu.words, frameWord(t.machine, pfn) + word, 1);
    expect(() => allocFrame(t.cpu, FRAME.USED)).toThrow('allocFrame: written after free');
  });

  it('show it also after they went through the free lists, and into a linear object', () => {
    const t = testMachine({ checked: true, frames: 300 });
    const spec = { kind: OBJECT.LINEAR, size: PAGE_SIZE, host: 1, writable: true };
    // The slab of objects has its frame, and memory then is one frame: the damaged one.
    expect(createObject(t.cpu, spec)).toBeGreaterThan(0);
    let last = 0;
    for (let pfn = 1; pfn !== 0; pfn = allocFrame(t.cpu, FRAME.USED)) last = pfn;
    freeFrame(t.cpu, last);
    drainCache(t.cpu, 1);
    poke(t.cpu.words, frameWord(t.machine, last) + 9, 1);
    expect(() => createObject(t.cpu, spec)).toThrow('written after free');
  });

  it('are not poisoned in an unchecked machine', () => {
    const t = testMachine({ checked: false });
    const pfn = allocFrame(t.cpu, FRAME.USED);
    poke(t.cpu.words, frameWord(t.machine, pfn), 77);
    freeFrame(t.cpu, pfn);
    expect(peek(t.cpu.words, frameWord(t.machine, pfn))).toBe(77);
    expect(allocFrame(t.cpu, FRAME.USED)).toBe(pfn);
  });

  it('of a linear object are one aligned block, zeroed, and the rest comes back', () => {
    const t = testMachine({ checked: true });
    const before = freeFrames(t);
    const spec = { kind: OBJECT.LINEAR, size: 5 * PAGE_SIZE, host: 1, writable: true };
    const object = createObject(t.cpu, spec);
    const base = peek(t.cpu.words, object + OBJECT.BASE_PFN);
    expect(base % 8).toBe(0);
    const at = frameWord(t.machine, base);
    expect(t.machine.words.subarray(at, at + 5 * 1024).every((word) => word === 0)).toBe(true);
    putObject(t.cpu, object);
    drainCache(t.cpu, peek(t.cpu.words, t.cpu.base + CPU.CACHE_COUNT));
    expect(freeFrames(t)).toBe(before);
    expectClean(t);
  });
});

describe('slabs', () => {
  it.each([SLAB.SPACE, SLAB.PROCESS, SLAB.AREA, SLAB.OBJECT])('kind %d', (slab) => {
    const t = testMachine();
    const { cpu, machine } = t;
    const size = SLAB.SIZES[slab] as number;
    const perFrame = 1024 / size;
    const blocks = new Set<number>();
    for (let i = 0; i < 3 * perFrame + 1; i++) {
      const at = slabAlloc(cpu, slab);
      expect(blocks.has(at)).toBe(false);
      expect((at - machine.frameBase) % size).toBe(0);
      // Zeroed but for the mark of a block in use, also when it was used before.
      const end = at + size - (SLAB.STABLE_WORDS[slab] as number);
      const [mark, ...rest] = machine.words.subarray(at, end);
      expect([mark, rest.every((word) => word === 0)]).toEqual([1, true]);
      machine.words.fill(-1, at + 1, at + size);
      blocks.add(at);
      if (i % 3 === 2) {
        const [first] = blocks;
        blocks.delete(first as number);
        slabFree(cpu, slab, first as number);
      }
    }
    expect(slabLive(machine, slab)).toBe(blocks.size);
    const framesAt = BOOT.SLABS + slab * SLAB.STATE_WORDS + 2;
    expect(peek(cpu.words, framesAt)).toBeGreaterThan(1);
    for (const at of blocks) slabFree(cpu, slab, at);
    expect([slabLive(machine, slab), peek(cpu.words, framesAt)]).toEqual([0, 0]);
    expectClean(t);
    const [at] = blocks;
    expect(() => slabFree(cpu, slab, at as number)).toThrow();
  });

  it('panic when a block is freed twice or as another kind', () => {
    const t = testMachine();
    const [one] = [slabAlloc(t.cpu, SLAB.AREA), slabAlloc(t.cpu, SLAB.AREA)];
    slabFree(t.cpu, SLAB.AREA, one);
    expect(() => slabFree(t.cpu, SLAB.AREA, one)).toThrow('freed twice');
    const other = testMachine();
    const area = slabAlloc(other.cpu, SLAB.AREA);
    expect(() => slabFree(other.cpu, SLAB.OBJECT, area)).toThrow('another slab');
  });
});
