/**
 * Whether any process could end a wait that blocks a whole CPU, and with it all its programs.
 *
 * The rule: a process that can reach the word (for private memory a thread of the space, for shared
 * memory any) must be on another CPU, or wait to be started by one. A wait on shared memory by the
 * only process of the machine is allowed: the host may start another one.
 *
 * Guarantees: a wait that some process could end is never refused.
 * Not guaranteed: that an allowed wait ends. Processes may wait for each other across CPUs, and the
 * last possible waker may end: then the program hangs, as it would on Linux.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FUTEX from '../../shared/layout/futex.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PROCESSES_MAX } from '../../shared/limits.ts';
import type { FutexBlock, ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { lock, unlock } from '../machine/spinlock.ts';

/** Whether the waiter of process `proc` may be woken while `proc`'s CPU, this one, sleeps. */
export function canBeWoken(cpu: Cpu, proc: ProcessBlock, waiter: FutexBlock): boolean {
  const { words, machine } = cpu;
  // ORDER: a momentary value: a requeue may move the waiter to another word.
  const isPrivate = load(words, waiter + FUTEX.ID) < 0;
  const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  let peers = 0;
  let elsewhere = 0;
  // The lock keeps the blocks from being freed; their contents are momentary values all the same.
  lock(cpu, BOOT.PROC_LOCK);
  // ORDER: momentary values: processes come and go.
  const last = Math.min(PROCESSES_MAX, load(words, BOOT.NEXT_PID));
  for (let slot = 0; slot < last && elsewhere === 0; slot++) {
    const other = load(words, machine.procTable + slot);
    if (other === 0 || other === proc) continue;
    if (load(words, other + PROCESS.STATE) === PROCESS.ZOMBIE) continue;
    if (isPrivate && load(words, other + PROCESS.SPACE) !== space) continue;
    peers++;
    if (canRunElsewhere(cpu, other, !isPrivate)) elsewhere++;
  }
  unlock(cpu, BOOT.PROC_LOCK);
  return elsewhere > 0 || (!isPrivate && peers === 0);
}

/** `isMovable`: an idle CPU may take it over while it is new. Threads stay where they were put. */
function canRunElsewhere(cpu: Cpu, proc: ProcessBlock, isMovable: boolean): boolean {
  const { words, machine } = cpu;
  // ORDER: momentary values, as above.
  const runsOn = load(words, proc + PROCESS.CPU);
  if (runsOn !== 0) return runsOn !== cpu.id;
  if (load(words, proc + PROCESS.HOME) !== cpu.id) return true;
  let others = 0;
  for (let id = 1; id < machine.cpus && isMovable; id++) {
    // ORDER: a momentary value.
    const mode = load(words, machine.cpuBase + id * CPU.WORDS + CPU.MODE) & CPU.MODE_MASK;
    if (id !== cpu.id && mode !== CPU.MODE_OFFLINE && mode !== CPU.MODE_DEAD) others++;
  }
  return others > 0;
}
