/**
 * Goal: a page that was swapped out comes back as it was, to each process that had it. Method: the
 * kernel's functions on one thread; last a model, here under the default protocol (test/property
 * has the others).
 */
import { describe, expect, it } from 'vitest';

import { handleFault } from '../../kernel/faults/fault.ts';
import { FAULT_DONE } from '../../kernel/machine/fault-codes.ts';
import { frameUsage } from '../../kernel/index.ts';
import { allocFrame, freeFrame, putFrame } from '../../kernel/frames/frames.ts';
import { DEFAULT_PROTOCOL, PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { findCandidates } from '../../kernel/reclaim/candidates.ts';
import type { Candidate } from '../../kernel/reclaim/candidates.ts';
import { agePages, evictPages } from '../../kernel/reclaim/evict.ts';
import {
  beginSwapRead,
  beginSwapWrite,
  dropCleanFrames,
  endSwapWrite,
  finishSwapRead,
} from '../../kernel/objects/swap-map.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { expectClean } from '../support/kernel-helpers.ts';

import { BASE, PRIVATE, SHARED, VPN, World, compareSwap } from '../support/swap-model.ts';

describe.each(PROTOCOL_NAMES)('swap under %s', (protocol) => {
  it('takes pages out and brings them back as they were', () => {
    const w = new World(protocol);
    const p = w.process();
    w.map(p, 0, 4, PRIVATE);
    for (const page of [0, 1, 2]) w.set(p, page, page + 10);
    expect(w.evict(p, 0, 1, 2, 3)).toBe(3);
    expect(w.used()).toBe(3);
    expectClean(w.t);
    for (const page of [0, 1, 2, 3]) {
      expect(pte.isPresent(peekEntry(w.t.cpu, p.space, VPN + page))).toBe(false);
    }
    expect([0, 1, 2, 3].map((page) => w.get(p, page))).toEqual([10, 11, 12, 0]);
    expect(w.used()).toBe(0);
    w.set(p, 0, 20);
    expect(w.get(p, 0)).toBe(20);
    expectClean(w.t);
  });

  it('gives a page back that is written at that moment', () => {
    const w = new World(protocol);
    const p = w.process();
    w.map(p, 0, 1, PRIVATE);
    w.set(p, 0, 1);
    const { slots } = evictPages(w.t.cpu, p.space, [VPN]);
    const slot = slots[0] as number;
    const pfn = beginSwapWrite(w.t.cpu, slot);
    expect(handleFault(w.t.cpu, p.space, VPN, true)).toBe(FAULT_DONE);
    putFrame(w.t.cpu, pfn);
    expect(endSwapWrite(w.t.cpu, slot, true)).toBe(0);
    w.set(p, 0, 2);
    expect(w.get(p, 0)).toBe(2);
    expectClean(w.t);
  });

  it('does not take a late answer of the store for the page that has the slot now', () => {
    const w = new World(protocol, 1);
    const p = w.process();
    w.map(p, 0, 2, PRIVATE);
    w.set(p, 0, 1);
    w.evict(p, 0);
    const uses = beginSwapRead(w.t.cpu, 1);
    const old = w.store.get(1) as Int32Array;
    expect(w.get(p, 0)).toBe(1);
    w.set(p, 1, 2);
    expect(w.evict(p, 1)).toBe(1);
    const pfn = allocFrame(w.t.cpu, FRAME.USED);
    w.t.machine.words.set(old, frameWord(w.t.machine, pfn));
    expect(finishSwapRead(w.t.cpu, 1, uses, pfn)).toBe(false);
    freeFrame(w.t.cpu, pfn);
    expect(w.get(p, 1)).toBe(2);
    expectClean(w.t);
  });

  it('does not ask the store for a page that is on its way there', () => {
    const w = new World(protocol, 1);
    const p = w.process();
    w.map(p, 0, 1, PRIVATE);
    w.set(p, 0, 1);
    expect(evictPages(w.t.cpu, p.space, [VPN]).slots).toEqual([1]);
    expect(beginSwapRead(w.t.cpu, 1)).toBe(0);
    const pfn = beginSwapWrite(w.t.cpu, 1);
    expect(beginSwapRead(w.t.cpu, 1)).toBe(0);
    putFrame(w.t.cpu, pfn);
    endSwapWrite(w.t.cpu, 1, true);
    expect(beginSwapRead(w.t.cpu, 1)).not.toBe(0);
    expect(sysMunmap(w.t.cpu, p.proc, VPN * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(beginSwapRead(w.t.cpu, 1)).toBe(0);
    expectClean(w.t);
  });

  it('leaves pages where they are when swap is full, locked ones and shared ones', () => {
    const w = new World(protocol, 2);
    const p = w.process();
    w.map(p, 0, 4, PRIVATE);
    w.map(p, 8, 1, SHARED);
    for (const page of [0, 1, 2, 3, 8]) w.set(p, page, page + 1);
    expect(w.evict(p, 0, 1, 2, 3)).toBe(2);
    expect([0, 1, 2, 3].map((page) => w.get(p, page))).toEqual([1, 2, 3, 4]);
    expectClean(w.t);
    // Out of the page table, not out of memory: the object has it.
    expect(w.evict(p, 8)).toBe(1);
    expect(w.used()).toBe(0);
    expect(w.get(p, 8)).toBe(9);
    expectClean(w.t);
  });

  it('shares one slot among forked processes, and frees it with the last', () => {
    const w = new World(protocol);
    const parent = w.process();
    w.map(parent, 0, 2, PRIVATE);
    w.set(parent, 0, 1);
    w.set(parent, 1, 2);
    w.evict(parent, 0);
    const child = w.fork(parent);
    expect(w.used()).toBe(1);
    expectClean(w.t);
    expect(w.evict(parent, 1) + w.evict(child, 1)).toBe(2);
    expect(w.used()).toBe(2);
    expectClean(w.t);
    w.set(child, 0, 5);
    w.set(child, 1, 6);
    expect([w.get(parent, 0), w.get(parent, 1)]).toEqual([1, 2]);
    expect([w.get(child, 0), w.get(child, 1)]).toEqual([5, 6]);
    expectClean(w.t);
    w.evict(parent, 0, 1);
    w.evict(child, 0, 1);
    w.end(child);
    expect(w.used()).toBe(2);
    expect(sysMprotect(w.t.cpu, parent.proc, BASE, PAGE_SIZE, M.PROT_READ)).toBe(0);
    expect(w.get(parent, 0)).toBe(1);
    expect(sysMunmap(w.t.cpu, parent.proc, BASE, 2 * PAGE_SIZE)).toBe(0);
    expect(w.used()).toBe(0);
    expectClean(w.t);
  });

  it('frees the frame of a written page that its last user lets go of', () => {
    const w = new World(protocol);
    const parent = w.process();
    w.map(parent, 0, 2, PRIVATE);
    w.set(parent, 0, 1);
    w.set(parent, 1, 2);
    w.evict(parent, 0, 1);
    const child = w.fork(parent);
    const before = frameUsage(w.t.machine).used;

    // Read, for the child alone, and taken out again: nothing is to be written.
    expect([w.get(child, 1), frameUsage(w.t.machine).used]).toEqual([2, before + 1]);
    expect(w.evict(child, 1)).toBe(1);
    expect(frameUsage(w.t.machine).used).toBe(before);

    // Read, and copied for a store: the map alone has what was read.
    w.set(child, 1, 4);
    expect(frameUsage(w.t.machine).used).toBe(before + 2);
    const { freed, next } = dropCleanFrames(w.t.cpu, 1, 1);
    expect(freed + dropCleanFrames(w.t.cpu, next, 100).freed).toBe(1);
    expect(frameUsage(w.t.machine).used).toBe(before + 1);
    expect([w.get(parent, 0), w.get(parent, 1), w.get(child, 1)]).toEqual([1, 2, 4]);
    // In use by the parent: it stays.
    expect(dropCleanFrames(w.t.cpu, 1, 100).freed).toBe(0);
    expectClean(w.t);
  });

  it('clears the accessed bit, which the next access sets again', () => {
    const w = new World(protocol);
    const p = w.process();
    w.map(p, 0, 3, PRIVATE);
    for (const page of [0, 1]) w.set(p, page, 1);
    const seen = (): boolean[] => {
      const found: Candidate[] = [];
      findCandidates(w.t.cpu, p.space, 0, 100, found);
      return found.map(({ accessed }) => accessed);
    };
    expect(seen()).toEqual([true, true]);
    agePages(w.t.cpu, p.space, [VPN, VPN + 1, VPN + 2]);
    expect(seen()).toEqual([false, false]);
    expectClean(w.t);
  });
});

describe('swap against a model', () => {
  it('keeps every page', () => compareSwap(DEFAULT_PROTOCOL));
});
