/**
 * Locks: one word, holding 0 when free and otherwise the owner's CPU number + 1.
 *
 * Guarantees: mutual exclusion; what the last holder wrote is visible to the next one.
 * Waiting: a bounded spin, then sleep in slices; the CONTENDED bit tells the holder to wake.
 * Not guaranteed: fairness. A lock is not recursive: taking it twice panics.
 * Order: lock-order.ts, checked in a checked machine.
 */
import { compareExchange, exchange, load, notify, pause, wait } from '../../shared/atomics.ts';
import { SPIN_TURNS, WAIT_SLICE_MS } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import type { WordIndex } from '../../shared/units.ts';
import { STAT, count } from './cpu.ts';
import type { Cpu } from './cpu.ts';
import { noteReleased, noteTaken } from './held-locks.ts';

const CONTENDED = 1 << 30;
const OWNER_MASK: number = CONTENDED - 1;

/** Takes the lock word at `at`. Kernel mode only. */
export function lock(cpu: Cpu, at: WordIndex): void {
  if (cpu.machine.checked) noteTaken(cpu, at, false);
  // ORDER: the exchange to our number acquires what the previous holder released.
  if (compareExchange(cpu.words, at, 0, cpu.id + 1) !== 0) lockSlow(cpu, at);
}

function lockSlow(cpu: Cpu, at: WordIndex): void {
  const { words } = cpu;
  const mine = cpu.id + 1;
  count(cpu, STAT.lockWaits, 1);
  for (let turn = 0; turn < SPIN_TURNS; turn++) {
    // ORDER: the load only decides whether to try; the exchange acquires.
    const seen = load(words, at);
    if ((seen & OWNER_MASK) === mine) panic('lock: taken twice', at, cpu.id);
    if (seen === 0 && compareExchange(words, at, 0, mine) === 0) return;
    pause();
  }
  // The holder may be descheduled. A CPU that has slept takes the lock as contended, because it
  // cannot know whether others still sleep. The loop ends when every holder leaves the kernel.
  for (;;) {
    // ORDER: CONTENDED is set before the sleep and `wait` compares it: no release is missed.
    const seen = load(words, at);
    if (seen === 0) {
      if (compareExchange(words, at, 0, mine | CONTENDED) === 0) return;
    } else if (
      (seen & CONTENDED) !== 0 ||
      compareExchange(words, at, seen, seen | CONTENDED) === seen
    ) {
      wait(words, at, seen | CONTENDED, WAIT_SLICE_MS);
    }
  }
}

/** Releases a lock that this CPU holds. */
export function unlock(cpu: Cpu, at: WordIndex): void {
  if (cpu.machine.checked) noteReleased(cpu, at, false);
  // ORDER: the exchange releases everything written under the lock, and reads whether to wake.
  const held = exchange(cpu.words, at, 0);
  if ((held & OWNER_MASK) !== cpu.id + 1) panic('unlock: not the holder', at, held, cpu.id);
  if ((held & CONTENDED) !== 0) notify(cpu.words, at, 1);
}
