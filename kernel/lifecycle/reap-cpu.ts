/**
 * Cleaning up after a CPU whose Worker died: its processes end, the reaping CPU takes over its
 * cached frames and limbo list, and its block is ready for another Worker.
 *
 * Locking: none needed for the dead CPU's own fields: its mode is DEAD, so nobody else writes them.
 */
import { fillWords, load, peek, poke, store } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { panic } from '../../shared/panic.ts';
import { SIGKILL } from '../../shared/abi/signals.ts';
import type { Pid, WordIndex } from '../../shared/units.ts';
import { giveBlock } from '../frames/buddy.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import { LOG_CPU_DEAD, logEvent } from '../machine/log.ts';
import { frameField } from '../machine/machine.ts';
import { allPids, processOf } from '../processes/pid-table.ts';
import { exitProcess } from './exit.ts';
import { lock, unlock } from '../machine/spinlock.ts';

/** Reaps CPU `dead`, which was condemned. The pids of the processes that ended with it. */
export function reapCpu(cpu: Cpu, dead: number): Pid[] {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  const { machine, words } = cpu;
  const block = machine.cpuBase + dead * CPU.WORDS;
  // ORDER: acquires what the CPU wrote before it was condemned.
  const mode = load(words, block + CPU.MODE) & CPU.MODE_MASK;
  if (mode !== CPU.MODE_DEAD) panic('reapCpu: not condemned', dead, mode);
  const ended: number[] = [];
  for (const pid of allPids(machine)) {
    const proc = processOf(machine, pid);
    if (proc === 0 || peek(words, proc + PROCESS.CPU) !== dead) continue;
    const state = peek(words, proc + PROCESS.STATE);
    if (state === PROCESS.ZOMBIE) continue;
    exitProcess(cpu, pid, 0, SIGKILL, 0);
    ended.push(pid);
  }
  takeCache(cpu, block);
  takeLimbo(cpu, block);
  fillWords(words, block + CPU.EPOCH, block + CPU.STATS, 0);
  logEvent(cpu, LOG_CPU_DEAD, dead, ended.length, 0);
  // ORDER: last; a new Worker may start the CPU when it reads OFFLINE.
  store(words, block + CPU.MODE, CPU.MODE_OFFLINE);
  return ended;
}

function takeCache(cpu: Cpu, block: WordIndex): void {
  const { words } = cpu;
  const cached = peek(words, block + CPU.CACHE_COUNT);
  lock(cpu, BOOT.BUDDY_LOCK);
  for (let i = 0; i < cached; i++) {
    giveBlock(cpu, peek(words, block + CPU.CACHE + i), 0);
  }
  unlock(cpu, BOOT.BUDDY_LOCK);
}

/** Joins the dead CPU's limbo list in front of our own: its stamps are older or irrelevant. */
function takeLimbo(cpu: Cpu, block: WordIndex): void {
  const { machine, words, base } = cpu;
  const head = peek(words, block + CPU.LIMBO_HEAD);
  if (head === 0) return;
  const tail = peek(words, block + CPU.LIMBO_TAIL);
  const mine = peek(words, base + CPU.LIMBO_HEAD);
  poke(words, frameField(machine, tail, FRAME.LINK), mine);
  poke(words, base + CPU.LIMBO_HEAD, head);
  if (mine === 0) poke(words, base + CPU.LIMBO_TAIL, tail);
  const joined = peek(words, base + CPU.LIMBO_COUNT) + peek(words, block + CPU.LIMBO_COUNT);
  poke(words, base + CPU.LIMBO_COUNT, joined);
}
