/**
 * Goal: whoever has pinned a page and the process that it belongs to share it until it is unpinned,
 * whatever else happens, and then nothing is left of the pin. One thread plays all CPUs; every
 * interleaving is in the explorer.
 */
import { describe, expect, it } from 'vitest';

import { frameRefs } from '../../kernel/frames/frames.ts';
import { isPinned } from '../../kernel/frames/pin-count.ts';
import { exitProcess } from '../../kernel/lifecycle/exit.ts';
import { execProcess } from '../../kernel/lifecycle/exec.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { dropPins, pinPages, unpinPages } from '../../kernel/mmu/pin.ts';
import { copyFromUser } from '../../kernel/mmu/user-copy.ts';
import { spaceOfPid } from '../../kernel/processes/pid-table.ts';
import { evictPages } from '../../kernel/reclaim/evict.ts';
import { formatStatus } from '../../kernel/reports/status.ts';
import { peek, poke } from '../../shared/atomics.ts';
import { EFAULT, EINVAL, ENOMEM } from '../../shared/abi/errno.ts';
import * as M from '../../shared/abi/mman.ts';
import * as PIN from '../../shared/layout/pin.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PIN_PAGES_MAX } from '../../shared/limits.ts';
import { Arena, NONE, P, R, SHARED_ANON } from '../support/kernel-arena.ts';
import { expectClean } from '../support/kernel-helpers.ts';

function arena(): Arena {
  const a = new Arena({ swapSlots: 16 });
  a.map(0, 4);
  return a;
}

/** The frame of page `i` of a pin. */
function frame(a: Arena, pin: number, i = 0): number {
  return peek(a.cpu.words, pin + PIN.FRAMES + i);
}

/** The first byte of a page in a space, as its process reads it. */
function byteIn(a: Arena, space: number, page: number): number {
  const byte = new Uint8Array(1);
  expect(copyFromUser(a.cpu, space, a.at(page), byte)).toBe(1);
  return byte[0] as number;
}

function pinned(a: Arena, page: number, pages = 1, write = true): number {
  const pin = pinPages(a.cpu, a.proc, a.at(page), pages, write);
  expect(pin).toBeGreaterThan(0);
  return pin;
}

function fork(a: Arena): number {
  const pid = createProcess(a.cpu, { name: 'c', parent: a.pid, fork: true });
  expect(pid).toBeGreaterThan(0);
  return pid;
}

describe('a pin', () => {
  it('is of the very frames that the process uses, and counts as VmPin', () => {
    const a = arena();
    const pin = pinned(a, 0, 3);
    poke(a.cpu.words, frameWord(a.t.machine, frame(a, pin, 1)), 42);
    expect(byteIn(a, a.space, 1)).toBe(42);
    expect(formatStatus(a.cpu, a.pid, a.pid)).toMatch(/^VmPin:\t +12 kB$/m);
    expectClean(a.t);
    unpinPages(a.cpu, a.proc, pin);
    expect(formatStatus(a.cpu, a.pid, a.pid)).toMatch(/^VmPin:\t +0 kB$/m);
    expect(byteIn(a, a.space, 1)).toBe(42);
    expectClean(a.t);
  });

  it.each([true, false])('keeps its frame through fork, for writing: %s', (write) => {
    const a = arena();
    a.write(0, 5);
    const pin = pinned(a, 0, 1, write);
    const pid = fork(a);
    const child = spaceOfPid(a.cpu, pid);
    a.write(0, 6);
    expect(peek(a.cpu.words, frameWord(a.t.machine, frame(a, pin))) & 0xff).toBe(6);
    expect(byteIn(a, child, 0)).toBe(5);
    expectClean(a.t);
    exitProcess(a.cpu, pid, 0, 0, 0);
    unpinPages(a.cpu, a.proc, pin);
    expectClean(a.t);
  });

  it('for reading takes a copy of a page that others share, even of a read-only one', () => {
    const a = arena();
    a.write(0, 5);
    a.write(1, 5);
    a.protect(1, 1, R);
    const child = spaceOfPid(a.cpu, fork(a));
    const pin = pinned(a, 0, 2, false);
    for (const i of [0, 1]) expect(frameRefs(a.t.machine, frame(a, pin, i))).toBe(1);
    expect([byteIn(a, child, 0), byteIn(a, a.space, 1)]).toEqual([5, 5]);
    expectClean(a.t);
    unpinPages(a.cpu, a.proc, pin);
    expectClean(a.t);
  });

  it('keeps a page in memory, and the frame when the page goes', () => {
    const a = arena();
    a.write(0, 5);
    const pin = pinned(a, 0);
    expect(evictPages(a.cpu, a.space, [a.vpn]).pages).toBe(0);
    a.unmap(0, 1);
    expect(isPinned(a.t.machine, frame(a, pin))).toBe(true);
    expect(peek(a.cpu.words, frameWord(a.t.machine, frame(a, pin))) & 0xff).toBe(5);
    expectClean(a.t);
    unpinPages(a.cpu, a.proc, pin);
    expectClean(a.t);
  });

  it('ends with its process, and with exec', () => {
    const a = arena();
    pinned(a, 0, 2);
    expect(execProcess(a.cpu, a.pid, 'other')).toBe(0);
    expectClean(a.t);
    const b = arena();
    pinned(b, 0, 1);
    pinned(b, 0, 2);
    exitProcess(b.cpu, b.pid, 0, 0, 0);
    expectClean(b.t);
  });

  it('of shared memory is of the page that all share; one page has many', () => {
    const a = arena();
    a.map(4, 2, R | M.PROT_WRITE, SHARED_ANON);
    const pins = [pinned(a, 4, 2), pinned(a, 4, 1, false), pinned(a, 5, 1)];
    const child = spaceOfPid(a.cpu, fork(a));
    a.write(4, 9);
    expect(byteIn(a, child, 4)).toBe(9);
    expectClean(a.t);
    unpinPages(a.cpu, a.proc, pins[1] as number);
    expectClean(a.t);
    dropPins(a.cpu, a.proc);
    expectClean(a.t);
  });

  it('is refused where an access would be, and beyond the limit', () => {
    const a = arena();
    const pin = (page: number, pages: number, write = true): number =>
      pinPages(a.cpu, a.proc, a.at(page), pages, write);
    expect(pinPages(a.cpu, a.proc, a.at(0) + 1, 1, true)).toBe(-EINVAL);
    for (const bad of [0, -1, 0.5, NaN, PIN_PAGES_MAX + 1]) expect(pin(0, bad)).toBe(-EINVAL);
    expect(pinPages(a.cpu, a.proc, 2 ** 42, 1, true)).toBe(-EFAULT);
    expect(pin(2, 3)).toBe(-EFAULT);
    a.protect(1, 1, R);
    expect([pin(0, 2), pin(0, 2, false) > 0]).toEqual([-EFAULT, true]);
    a.protect(1, 1, NONE);
    expect(pin(1, 1, false)).toBe(-EFAULT);
    expectClean(a.t);
    poke(a.cpu.words, a.space + SPACE.CAPABILITIES, 0);
    poke(a.cpu.words, a.space + SPACE.RLIMITS + 2 * SPACE.RLIMIT_WORDS, 3 * P);
    expect([pin(2, 1) > 0, pin(2, 1)]).toEqual([true, -ENOMEM]);
    dropPins(a.cpu, a.proc);
    expect(peek(a.cpu.words, a.space + SPACE.PINNED_PAGES)).toBe(0);
    expectClean(a.t);
  });

  it('that fails for want of memory leaves nothing behind', () => {
    const a = new Arena({ frames: 256 });
    a.map(0, 400);
    let pin = 0;
    for (let page = 0; pin >= 0 && page < 400; page += 20) {
      pin = pinPages(a.cpu, a.proc, a.at(page), 20, true);
    }
    expect(pin).toBe(-ENOMEM);
    expect(a.cpu.lacksFrame).toBe(true);
    expectClean(a.t);
    dropPins(a.cpu, a.proc);
    expectClean(a.t);
  });
});
