/**
 * The pid table: from a pid to its process's block. BOOT.PROC_LOCK for changes; any CPU reads it.
 * A block in the table is published; process.ts says who may use it.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PROCESSES_MAX } from '../../shared/limits.ts';
import type { Pid, ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Machine } from '../machine/machine.ts';

/** The block of a process, or 0 when no process has that pid. */
export function processOf(machine: Machine, pid: Pid): ProcessBlock {
  if (!Number.isInteger(pid) || pid <= 0) return 0;
  // ORDER: acquires the block published by createProcess.
  const proc: ProcessBlock = load(machine.words, machine.procTable + (pid % PROCESSES_MAX));
  return proc !== 0 && peek(machine.words, proc + PROCESS.PID) === pid ? proc : 0;
}

/** As processOf, but 0 also for one that has ended: it has no memory and no descriptors. */
export function livingProcess(machine: Machine, pid: Pid): ProcessBlock {
  const proc = processOf(machine, pid);
  if (proc === 0) return 0;
  return peek(machine.words, proc + PROCESS.STATE) === PROCESS.ZOMBIE ? 0 : proc;
}

/** The address space of a process; 0 when there is no such process or it has ended. */
export function spaceOfPid(cpu: Cpu, pid: Pid): SpaceBlock {
  const proc = processOf(cpu.machine, pid);
  return proc === 0 ? 0 : peek(cpu.words, proc + PROCESS.SPACE);
}

/** pids of all processes that have a block, in table order. */
export function allPids(machine: Machine): Pid[] {
  const pids: number[] = [];
  for (let slot = 0; slot < PROCESSES_MAX; slot++) {
    // ORDER: acquires the block.
    const proc: ProcessBlock = load(machine.words, machine.procTable + slot);
    if (proc !== 0) pids.push(peek(machine.words, proc + PROCESS.PID));
  }
  return pids;
}
