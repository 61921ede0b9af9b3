/**
 * Stopping the machine, so that an auditor may look at everything at once.
 *
 * Protocol: BOOT.STOP = PARK makes every CPU that enters the kernel park there. CPUs in user mode
 * are brought in by advancing their space's TLB generation. BOOT.STOP = VERIFY makes the parked
 * ones compare their TLBs with the tables. BOOT.STOP = 0 lets them go on.
 *
 * Guarantees: between `stopMachine` and `resumeMachine` no other CPU is in the kernel.
 * Not guaranteed: that a program that never touches memory stops. It cannot use a translation
 * without parking first; its CPU is reported as not verified.
 */
import { add, load, notify, store, wait } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { CPUS_MAX, WAIT_SLICE_MS } from '../../shared/limits.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import { pokeSpace } from '../paging/shootdown.ts';

/** Longest time to wait for CPUs in user mode, in milliseconds. */
const USER_WAIT_MS = 1000;

/** Which CPUs have stopped. */
export interface Stopped {
  /** CPUs that verified their TLBs. */
  readonly verified: readonly number[];
  /** CPUs in user mode that did not come in. */
  readonly unverified: readonly number[];
}

/** Stops all other CPUs; the caller is in kernel mode and stays there until `resumeMachine`. */
export function stopMachine(cpu: Cpu): Stopped {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  const { words, machine } = cpu;
  for (let id = 0; id < machine.cpus; id++) {
    // ORDER: cleared before the phase that asks for a new answer.
    store(words, machine.cpuBase + id * CPU.WORDS + CPU.STOP_SEEN, 0);
  }
  // ORDER: before the modes are read; a CPU that enters later reads the phase and parks.
  add(words, BOOT.CPU_WAITERS, 1);
  store(words, BOOT.STOP, BOOT.STOP_PARK);
  const unverified = awaitParked(cpu);
  // ORDER: all other CPUs are parked or outside the kernel.
  store(words, BOOT.STOP, BOOT.STOP_VERIFY);
  notify(words, BOOT.STOP, CPUS_MAX);
  const verified = awaitVerified(cpu);
  // ORDER: only a count.
  add(words, BOOT.CPU_WAITERS, -1);
  return { verified, unverified };
}

/** Lets the CPUs that `stopMachine` has stopped go on. */
export function resumeMachine(cpu: Cpu): void {
  // ORDER: releases the parked CPUs; the auditor has only read.
  store(cpu.words, BOOT.STOP, 0);
  notify(cpu.words, BOOT.STOP, CPUS_MAX);
}

/** Waits until no other CPU is in the kernel, and none in user mode for USER_WAIT_MS. */
function awaitParked(cpu: Cpu): number[] {
  const { words, machine } = cpu;
  for (let waitedMs = 0; ;) {
    const running: number[] = [];
    let inKernel = false;
    // ORDER: the event is read before the modes, so that a change between is not slept through.
    const event = load(words, BOOT.CPU_EVENT);
    for (let id = 0; id < machine.cpus; id++) {
      if (id === cpu.id) continue;
      const mode = load(words, machine.cpuBase + id * CPU.WORDS + CPU.MODE);
      if ((mode & CPU.MODE_MASK) === CPU.MODE_KERNEL) inKernel = true;
      if ((mode & CPU.MODE_MASK) === CPU.MODE_USER) {
        running.push(id);
        pokeSpace(cpu, (mode >>> CPU.MODE_SPACE_SHIFT) << SPACE.ALIGN_SHIFT);
      }
    }
    if (!inKernel && (running.length === 0 || waitedMs >= USER_WAIT_MS)) return running;
    if (wait(words, BOOT.CPU_EVENT, event, WAIT_SLICE_MS)) waitedMs += WAIT_SLICE_MS;
  }
}

/** Waits for the TLB verdicts of all parked CPUs. */
function awaitVerified(cpu: Cpu): number[] {
  const { words, machine } = cpu;
  for (;;) {
    const verified: number[] = [];
    let missing = false;
    // ORDER: the event first, as above; CPU.STOP_SEEN publishes the verdict.
    const event = load(words, BOOT.CPU_EVENT);
    for (let id = 0; id < machine.cpus; id++) {
      const block = machine.cpuBase + id * CPU.WORDS;
      if ((load(words, block + CPU.MODE) & CPU.MODE_MASK) !== CPU.MODE_PARKED) continue;
      if (load(words, block + CPU.STOP_SEEN) === BOOT.STOP_VERIFY) verified.push(id);
      else missing = true;
    }
    if (!missing) return verified;
    wait(words, BOOT.CPU_EVENT, event, WAIT_SLICE_MS);
  }
}
