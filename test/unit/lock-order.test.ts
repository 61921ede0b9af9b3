/**
 * Goal: a checked machine notices every lock that is taken out of order, released without being
 * held, or kept when its CPU leaves the kernel; the documentation shows the order that is checked.
 * Method: locks of real blocks, found by the layout alone, taken in all pairs; docs/locking.md.
 */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Cpu } from '../../kernel/machine/cpu.ts';
import { blockCpu, enterUser, leaveKernel } from '../../kernel/machine/cpu-mode.ts';
import { LOCK_CLASSES, NESTINGS, lockClassAt } from '../../kernel/machine/lock-order.ts';
import { assertAreasHeld, assertHeld, assertInKernel } from '../../kernel/machine/held-locks.ts';
import { frameField } from '../../kernel/machine/machine.ts';
import {
  readLock,
  readUnlock,
  tryReadLock,
  writeLock,
  writeUnlock,
} from '../../kernel/machine/rwlock.ts';
import { lock, unlock } from '../../kernel/machine/spinlock.ts';
import { memfdCreate } from '../../kernel/syscalls/open.ts';
import { fdObject } from '../../kernel/objects/fd.ts';
import { peek } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as FUTEX_QUEUE from '../../shared/layout/futex-queue.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as DESCRIPTORS from '../../shared/layout/descriptors.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import * as pte from '../../shared/pte.ts';
import { Arena } from '../support/kernel-arena.ts';
import { expectClean, testProcess } from '../support/kernel-helpers.ts';

/** A free word of the boot block, as a user's protocol might take for a lock. */
const UNKNOWN = 900;

let arena: Arena;
let cpu: Cpu;
/** A lock of each class. */
let locks: Map<string, number>;

beforeEach(() => {
  arena = new Arena();
  ({ cpu } = arena);
  const { machine } = arena.t;
  const fd = memfdCreate(cpu, arena.proc, 1, 0);
  arena.map(0, 4);
  arena.write(0, 1);
  const root = peek(cpu.words, arena.space + SPACE.ROOT);
  locks = new Map([
    ['SPACE.AREA_LOCK', arena.space + SPACE.AREA_LOCK],
    ['SPACE.RW_LOCK', arena.space + SPACE.RW_LOCK],
    ['AREA.LOCK', peek(cpu.words, arena.space + SPACE.AREA_ROOT) + AREA.LOCK],
    ['FRAME.AUX', frameField(machine, root, FRAME.AUX)],
    ['BOOT.RECORD_LOCK', BOOT.RECORD_LOCK],
    ['BOOT.NAME_LOCK', BOOT.NAME_LOCK],
    ['OBJECT.LOCK', fdObject(cpu, arena.proc, fd) + OBJECT.LOCK],
    ['DESCRIPTORS.LOCK', peek(cpu.words, arena.proc + PROCESS.DESCRIPTORS) + DESCRIPTORS.LOCK],
    ['FUTEX_QUEUE.LOCK', machine.futexQueues + 3 * FUTEX_QUEUE.WORDS + FUTEX_QUEUE.LOCK],
    ['BOOT.PROC_LOCK', BOOT.PROC_LOCK],
    ['BOOT.SLAB_LOCK', BOOT.SLAB_LOCK],
    ['BOOT.SWAP_LOCK', BOOT.SWAP_LOCK],
    ['BOOT.BUDDY_LOCK', BOOT.BUDDY_LOCK],
  ]);
});

function take(...words: number[]): void {
  for (const at of words) lock(cpu, at);
  for (const at of words.toReversed()) unlock(cpu, at);
}

/** PFN of the table of level 1 or 0 on the way to the arena's first page. */
function tableAt(level: number): number {
  let table = peek(cpu.words, arena.space + SPACE.ROOT);
  for (let at = 2; at > level; at--) {
    const index = (arena.vpn >>> (10 * at)) & 1023;
    table = pte.pfnOf(peek(cpu.words, arena.t.machine.frameBase + table * 1024 + index));
  }
  return table;
}

describe('the order', () => {
  it('knows every lock by its place in the machine', () => {
    expect([...locks.keys()]).toEqual(LOCK_CLASSES.map(({ name }) => name));
    for (const [name, at] of locks) {
      expect(lockClassAt(arena.t.machine, at)?.name).toBe(name);
      // The next word is no lock, but for the space's two.
      if (name !== 'SPACE.AREA_LOCK') expect(lockClassAt(arena.t.machine, at + 1)).toBeNull();
    }
    expect(lockClassAt(arena.t.machine, UNKNOWN)).toBeNull();
  });

  it('allows exactly what ascends, of all pairs', () => {
    for (const outer of LOCK_CLASSES) {
      for (const inner of LOCK_CLASSES) {
        if (inner === outer) continue;
        const words = [locks.get(outer.name)!, locks.get(inner.name)!];
        if (inner.rank > outer.rank) {
          take(...words);
          continue;
        }
        const [inside, outside] = [inner, outer].map(({ name }) => name.split('.')[1]);
        const text = `lock: order, .*${inside} under .*${outside}`;
        expect(() => take(...words)).toThrow(new RegExp(text));
        unlock(cpu, words[0]!);
      }
    }
    expectClean(arena.t);
  });

  it('looks through locks without a rank', () => {
    take(BOOT.SLAB_LOCK, UNKNOWN, BOOT.BUDDY_LOCK);
    expect(() => take(BOOT.SLAB_LOCK, UNKNOWN, BOOT.RECORD_LOCK)).toThrow(/RECORD.* under .*SLAB/);
  });

  it("lets a parent's space come before its child's, and not after it", () => {
    const child = testProcess(arena.t).space;
    for (const field of [SPACE.AREA_LOCK, SPACE.RW_LOCK]) {
      take(arena.space + field, child + field);
      expect(() => take(child + field, arena.space + field)).toThrow('lock: order');
      unlock(cpu, child + field);
    }
  });

  it('lets tables be locked from above, for reading too, and roots of two spaces', () => {
    const { machine } = arena.t;
    const [leaf, middle, root] = [0, 1, 2].map((l) => frameField(machine, tableAt(l), FRAME.AUX));
    const other = peek(cpu.words, testProcess(arena.t).space + SPACE.ROOT);
    take(root!, middle!, leaf!);
    take(root!, leaf!, middle!);
    take(root!, frameField(machine, other, FRAME.AUX));
    expect(() => take(middle!, root!)).toThrow('lock: order');
    unlock(cpu, middle!);
    readLock(cpu, leaf!);
    expect(() => tryReadLock(cpu, middle!)).toThrow('lock: order');
    readUnlock(cpu, leaf!);
  });

  it('is the one that docs/locking.md shows', () => {
    const rows = LOCK_CLASSES.map(
      ({ rank, name, protects, nesting }) =>
        `| ${rank} | \`${name}\` | ${protects} | ${NESTINGS[nesting]} |`,
    );
    const text = readFileSync(new URL('../../docs/locking.md', import.meta.url), 'utf8');
    const start = text.indexOf('| --- |', text.indexOf('## The order'));
    const shown = text.slice(start, text.indexOf('\n\n', start)).split('\n').slice(1);
    expect(shown).toEqual(rows);
  });
});

describe('a CPU in a checked machine', () => {
  it('takes no lock twice', () => {
    lock(cpu, BOOT.SWAP_LOCK);
    expect(() => lock(cpu, BOOT.SWAP_LOCK)).toThrow('lock: taken twice boot SWAP_LOCK');
    readLock(cpu, UNKNOWN);
    expect(() => writeLock(cpu, UNKNOWN)).toThrow('lock: taken twice');
  });

  it('releases only what it holds, and as it holds it', () => {
    expect(() => unlock(cpu, BOOT.SWAP_LOCK)).toThrow('unlock: not held boot SWAP_LOCK');
    expect(() => readUnlock(cpu, UNKNOWN)).toThrow('unlock: not held');
    readLock(cpu, UNKNOWN);
    expect(() => writeUnlock(cpu, UNKNOWN)).toThrow('unlock: not held');
    readUnlock(cpu, UNKNOWN);
  });

  it('may release in any order', () => {
    const words = [UNKNOWN, BOOT.RECORD_LOCK, BOOT.SLAB_LOCK, BOOT.BUDDY_LOCK];
    for (const at of words) lock(cpu, at);
    for (const at of words) unlock(cpu, at);
    expect(cpu.heldLocks).toEqual([]);
  });

  it.each([
    ['idle', leaveKernel],
    ['a sleep', blockCpu],
    ['user mode', (leaving: Cpu) => enterUser(leaving, arena.space)],
  ])('does not leave the kernel with a lock held, for %s', (_where, leave) => {
    writeLock(cpu, arena.space + SPACE.RW_LOCK);
    expect(() => leave(cpu)).toThrow(/lock held.* space .* RW_LOCK/);
    writeUnlock(cpu, arena.space + SPACE.RW_LOCK);
    leave(cpu);
  });

  it('asserts what it holds, where it is', () => {
    const at = arena.space + SPACE.AREA_LOCK;
    expect(() => assertHeld(cpu, at)).toThrow(/not held space .* AREA_LOCK/);
    expect(() => assertAreasHeld(cpu, arena.space)).toThrow(/not held space .* AREA_LOCK/);
    lock(cpu, at);
    assertHeld(cpu, at);
    assertAreasHeld(cpu, arena.space);
    unlock(cpu, at);
    readLock(cpu, UNKNOWN);
    expect(() => assertHeld(cpu, UNKNOWN)).toThrow('not held');
    readUnlock(cpu, UNKNOWN);
    assertInKernel(cpu);
    leaveKernel(cpu);
    expect(() => assertInKernel(cpu)).toThrow('not in kernel mode');
  });
});

it('is not watched in a machine that is not checked', () => {
  arena = new Arena({ checked: false });
  ({ cpu } = arena);
  lock(cpu, BOOT.BUDDY_LOCK);
  take(BOOT.RECORD_LOCK);
  assertHeld(cpu, BOOT.SLAB_LOCK);
  assertAreasHeld(cpu, arena.space);
  leaveKernel(cpu);
  assertInKernel(cpu);
  expect(cpu.heldLocks).toEqual([]);
});
