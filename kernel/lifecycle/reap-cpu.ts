/**
 * Cleaning up after a CPU whose Worker died: its processes end, its cached frames and limbo list
 * go to the CPU that reaps, and its block is ready for another Worker.
 *
 * Locking: none needed for the dead CPU's own fields: its mode is DEAD, so nobody else writes them.
 */
import { fillWords, load, peek, poke, store } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import { panic } from '../../shared/panic.ts';
import { SIGKILL } from '../../shared/abi/signals.ts';
import { giveBlock } from '../frames/buddy.ts';
import type { Cpu } from '../machine/cpu.ts';
import { LOG_CPU_DEAD, logEvent } from '../machine/log.ts';
import { frameField } from '../machine/machine.ts';
import { allPids, processOf } from '../processes/pid-table.ts';
import { exitProcess } from './exit.ts';
import { lock, unlock } from '../machine/spinlock.ts';

/** Reaps CPU `dead`, which was condemned. The pids of the processes that ended with it. */
export function reapCpu(cpu: Cpu, dead: number): number[] {
  const { machine, words } = cpu;
  const block = machine.cpuBase + dead * L.CPU_WORDS;
  // ORDER: acquires what the CPU wrote before it was condemned.
  const mode = load(words, block + L.C_MODE) & L.MODE_MASK;
  if (mode !== L.MODE_DEAD) panic('reapCpu: not condemned', dead, mode);
  const ended: number[] = [];
  for (const pid of allPids(machine)) {
    const proc = processOf(machine, pid);
    if (proc === 0 || peek(words, proc + L.P_CPU) !== dead) continue;
    const state = peek(words, proc + L.P_STATE);
    if (state === L.PROC_ZOMBIE) continue;
    exitProcess(cpu, pid, 0, SIGKILL, 0);
    ended.push(pid);
  }
  takeCache(cpu, block);
  takeLimbo(cpu, block);
  fillWords(words, block + L.C_EPOCH, block + L.C_STATS, 0);
  logEvent(cpu, LOG_CPU_DEAD, dead, ended.length, 0);
  // ORDER: last; a new Worker may start the CPU when it reads OFFLINE.
  store(words, block + L.C_MODE, L.MODE_OFFLINE);
  return ended;
}

function takeCache(cpu: Cpu, block: number): void {
  const { words } = cpu;
  const cached = peek(words, block + L.C_CACHE_COUNT);
  lock(cpu, L.B_BUDDY_LOCK);
  for (let i = 0; i < cached; i++) {
    giveBlock(cpu.machine, peek(words, block + L.C_CACHE + i), 0);
  }
  unlock(cpu, L.B_BUDDY_LOCK);
}

/** Joins the dead CPU's limbo list in front of our own: its stamps are older or irrelevant. */
function takeLimbo(cpu: Cpu, block: number): void {
  const { machine, words, base } = cpu;
  const head = peek(words, block + L.C_LIMBO_HEAD);
  if (head === 0) return;
  const tail = peek(words, block + L.C_LIMBO_TAIL);
  const mine = peek(words, base + L.C_LIMBO_HEAD);
  poke(words, frameField(machine, tail, L.F_LINK), mine);
  poke(words, base + L.C_LIMBO_HEAD, head);
  if (mine === 0) poke(words, base + L.C_LIMBO_TAIL, tail);
  const joined = peek(words, base + L.C_LIMBO_COUNT) + peek(words, block + L.C_LIMBO_COUNT);
  poke(words, base + L.C_LIMBO_COUNT, joined);
}
