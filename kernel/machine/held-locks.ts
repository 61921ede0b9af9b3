/**
 * Which locks a CPU holds: noted in a checked machine, to check the lock order, releases, and the
 * kernel's assertions. In an unchecked machine, all this costs one test of a flag.
 *
 * The list is in the CPU's private object, outermost lock first. A lock held for reading is in it
 * as ~at. Ranks are looked up only when a second lock is taken: a CPU may take its first one and
 * only then find out that the block is not what it looked for (protocol `vma`).
 */
import { peek } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import { wordName } from '../../shared/layout/names.ts';
import { panic } from '../../shared/panic.ts';
import type { SpaceBlock, WordIndex } from '../../shared/units.ts';
import type { Cpu } from './cpu.ts';
import { lockClassAt, mayNest } from './lock-order.ts';
import type { LockClass } from './lock-order.ts';
import type { Machine } from './machine.ts';

/** Before a lock is taken: panics if that is against the order, and notes it. */
export function noteTaken(cpu: Cpu, at: WordIndex, forReading: boolean): void {
  if (at < BOOT.SCRATCH) checkBoot(cpu.machine, at);
  if (cpu.heldLocks.length > 0) checkOrder(cpu, at);
  cpu.heldLocks.push(forReading ? ~at : at);
}

/** A lock of block 0, which is none, would be a word of the boot block. */
function checkBoot(machine: Machine, at: WordIndex): void {
  if (lockClassAt(machine, at) === null) panic('lock: no lock,', wordName(machine, at));
}

/** Before a lock is released. */
export function noteReleased(cpu: Cpu, at: WordIndex, forReading: boolean): void {
  const { heldLocks } = cpu;
  const noted = forReading ? ~at : at;
  // The last lock taken is most often the first to be released.
  const index = heldLocks.lastIndexOf(noted);
  if (index < 0) panic('unlock: not held', wordName(cpu.machine, at), cpu.id);
  if (index === heldLocks.length - 1) heldLocks.pop();
  else heldLocks.splice(index, 1);
}

function checkOrder(cpu: Cpu, at: WordIndex): void {
  const { machine, heldLocks } = cpu;
  if (heldLocks.includes(at) || heldLocks.includes(~at)) {
    panic('lock: taken twice', wordName(machine, at), cpu.id);
  }
  const taken = lockClassAt(machine, at);
  if (taken === null) return;
  // Ranks ascend in the list, so the last lock that has one has the highest.
  for (let i = heldLocks.length - 1; i >= 0; i--) {
    const highest = wordOf(heldLocks[i] as number);
    const outer = lockClassAt(machine, highest);
    if (outer === null) continue;
    if (outer.rank < taken.rank) return;
    if (outer === taken && mayNest(machine, taken, firstOf(cpu, taken), at)) return;
    panic('lock: order,', wordName(machine, at), 'under', wordName(machine, highest), cpu.id);
  }
}

/** The outermost lock of a class that the CPU holds; the CPU must hold one. */
function firstOf(cpu: Cpu, lock: LockClass): WordIndex {
  for (const noted of cpu.heldLocks) {
    if (lockClassAt(cpu.machine, wordOf(noted)) === lock) return wordOf(noted);
  }
  return panic('lock: class not held', lock.name);
}

function wordOf(noted: number): WordIndex {
  return noted < 0 ? ~noted : noted;
}

/** Asserts that the CPU holds the lock at `at`, and not only for reading. */
export function assertHeld(cpu: Cpu, at: WordIndex): void {
  if (cpu.machine.checked) checkHeld(cpu, at);
}

/** The check of assertHeld, in a checked machine. */
export function checkHeld(cpu: Cpu, at: WordIndex): void {
  if (!cpu.heldLocks.includes(at)) {
    panic('assertHeld: not held', wordName(cpu.machine, at), cpu.id);
  }
}

/**
 * Asserts that the CPU holds the lock of the space's area set, if the protocol says which it is.
 */
export function assertAreasHeld(cpu: Cpu, space: SpaceBlock): void {
  if (!cpu.machine.checked) return;
  const { areasLock } = cpu.machine.protocol;
  if (areasLock !== undefined) assertHeld(cpu, space + areasLock);
}

/** Asserts that the CPU holds no lock: before it leaves the kernel, or waits for others. */
export function assertNoLockHeld(cpu: Cpu): void {
  if (cpu.machine.checked) checkNoLockHeld(cpu);
}

/** The check of assertNoLockHeld, in a checked machine. */
export function checkNoLockHeld(cpu: Cpu): void {
  const { machine, heldLocks, droppedRecords, droppedWriters } = cpu;
  if (droppedRecords.length + droppedWriters.length > 0)
    panic('assertNoLockHeld: no flush', cpu.id);
  if (heldLocks.length === 0) return;
  panic('assertNoLockHeld: lock held', wordName(machine, wordOf(heldLocks[0] as number)), cpu.id);
}

/** Asserts that the CPU is in kernel mode. No other CPU changes its mode then. */
export function assertInKernel(cpu: Cpu): void {
  if (!cpu.machine.checked) return;
  const mode = peek(cpu.words, cpu.base + CPU.MODE) & CPU.MODE_MASK;
  if (mode !== CPU.MODE_KERNEL) panic('assertInKernel: not in kernel mode', mode, cpu.id);
}
