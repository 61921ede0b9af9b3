/**
 * Reader/writer lock in one word: readers in the low bits, or WRITER; a waiting writer sets PENDING
 * so that new readers hold back and writers are not starved.
 *
 * Guarantees: a writer excludes all others, readers exclude writers.
 * Not guaranteed: fairness between writers.
 * Order: lock-order.ts, checked in a checked machine.
 */
import { add, and, compareExchange, load, notify, or, pause, wait } from '../../shared/atomics.ts';
import { CPUS_MAX, SPIN_TURNS, WAIT_SLICE_MS } from '../../shared/limits.ts';
import { assert } from '../../shared/panic.ts';
import type { WordIndex } from '../../shared/units.ts';
import { STAT, count } from './cpu.ts';
import type { Cpu } from './cpu.ts';
import { noteReleased, noteTaken } from './held-locks.ts';

const WRITER = 1 << 30;
const PENDING = 1 << 29;
const SLEEPERS = 1 << 28;
const READERS: number = SLEEPERS - 1;

/** Takes the lock together with other readers; waits for a writer. */
export function readLock(cpu: Cpu, at: WordIndex): void {
  if (cpu.machine.checked) noteTaken(cpu, at, true);
  const { words } = cpu;
  for (let turn = 0; ; turn++) {
    // ORDER: the exchange that counts us in acquires what the last writer released.
    const seen = load(words, at);
    if ((seen & (WRITER | PENDING)) === 0) {
      if (compareExchange(words, at, seen, seen + 1) === seen) return;
    } else {
      waitTurn(cpu, at, seen, turn);
    }
  }
}

/** Takes the lock for reading if that needs no waiting. */
export function tryReadLock(cpu: Cpu, at: WordIndex): boolean {
  for (;;) {
    // ORDER: as readLock. A failed exchange means that another reader came or went: look again.
    const seen = load(cpu.words, at);
    if ((seen & (WRITER | PENDING)) !== 0) return false;
    if (compareExchange(cpu.words, at, seen, seen + 1) !== seen) continue;
    if (cpu.machine.checked) noteTaken(cpu, at, true);
    return true;
  }
}

/** Ends what readLock began. */
export function readUnlock(cpu: Cpu, at: WordIndex): void {
  if (cpu.machine.checked) noteReleased(cpu, at, true);
  // ORDER: the subtraction releases our reads before a writer may enter.
  const before = add(cpu.words, at, -1);
  assert((before & READERS) > 0 && (before & WRITER) === 0, 'readUnlock: not held', before);
  if ((before & READERS) === 1) wake(cpu, at, before);
}

/** Takes the lock alone; waits for readers and writers. */
export function writeLock(cpu: Cpu, at: WordIndex): void {
  if (cpu.machine.checked) noteTaken(cpu, at, false);
  const { words } = cpu;
  for (let turn = 0; ; turn++) {
    // ORDER: the exchange to WRITER acquires what readers and the last writer released.
    const seen = load(words, at);
    if ((seen & (WRITER | READERS)) === 0) {
      const taken = (seen & SLEEPERS) | WRITER;
      if (compareExchange(words, at, seen, taken) === seen) return;
    } else {
      if ((seen & PENDING) === 0) or(words, at, PENDING);
      waitTurn(cpu, at, seen | PENDING, turn);
    }
  }
}

/** Ends what writeLock began. */
export function writeUnlock(cpu: Cpu, at: WordIndex): void {
  if (cpu.machine.checked) noteReleased(cpu, at, false);
  // ORDER: clearing WRITER releases everything written under the lock.
  const before = and(cpu.words, at, ~(WRITER | PENDING));
  assert((before & WRITER) !== 0, 'writeUnlock: not held', before);
  wake(cpu, at, before);
}

/** Spins for a while, then sleeps until the word changes. Slices bound every sleep. */
function waitTurn(cpu: Cpu, at: WordIndex, seen: number, turn: number): void {
  if (turn === 0) count(cpu, STAT.lockWaits, 1);
  if (turn < SPIN_TURNS) {
    pause();
    return;
  }
  // ORDER: SLEEPERS is in the word that `wait` compares, so a release cannot be missed.
  if ((or(cpu.words, at, SLEEPERS) | SLEEPERS) === (seen | SLEEPERS)) {
    wait(cpu.words, at, seen | SLEEPERS, WAIT_SLICE_MS);
  }
}

function wake(cpu: Cpu, at: WordIndex, before: number): void {
  if ((before & SLEEPERS) === 0) return;
  // ORDER: cleared before the wake, so that a CPU that sleeps after it sets the bit again.
  and(cpu.words, at, ~SLEEPERS);
  notify(cpu.words, at, CPUS_MAX);
}
