/** What a process and the machine have used: the numbers of reports. */
import { load, peek, poke } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Machine } from '../machine/machine.ts';
import { processName } from '../processes/process.ts';
import { processOf } from '../processes/pid-table.ts';
import { groupOf, groupUsage } from '../frames/memory-group.ts';
import type { MemoryGroup } from '../frames/memory-group.ts';
import { loadWide, storeWide } from '../frames/wide.ts';

export interface ProcessUsage {
  readonly pid: number;
  readonly name: string;
  /** CPU that runs it, 0 when none has started it. */
  readonly cpu: number;
  /** Time on that CPU in microseconds, sleeps and others' turns left out. */
  readonly cpuUs: number;
  readonly faultsMinor: number;
  readonly faultsMajor: number;
  readonly tlbHits: number;
  readonly tlbMisses: number;
  readonly shootdowns: number;
  readonly residentPages: number;
  readonly residentPagesPeak: number;
  readonly memoryGroup: MemoryGroup | null;
}

/** Usage of a process whose address space still exists; null otherwise. */
export function processUsage(cpu: Cpu, pid: number): ProcessUsage | null {
  const { machine, words } = cpu;
  const proc = processOf(machine, pid);
  const space = proc === 0 ? 0 : peek(words, proc + L.P_SPACE);
  if (space === 0) return null;
  return {
    pid,
    name: processName(machine, proc),
    cpu: peek(words, proc + L.P_CPU),
    cpuUs: loadWide(machine, proc + L.P_CPU_US),
    // ORDER: momentary values of counters.
    faultsMinor: load(words, space + L.S_FAULTS_MINOR),
    faultsMajor: load(words, space + L.S_FAULTS_MAJOR),
    tlbHits: loadWide(machine, proc + L.P_TLB_HITS),
    tlbMisses: loadWide(machine, proc + L.P_TLB_MISSES),
    shootdowns: load(words, space + L.S_SHOOTDOWNS),
    residentPages: load(words, space + L.S_RESIDENT),
    residentPagesPeak: load(words, space + L.S_RESIDENT_PEAK),
    memoryGroup: groupUsage(machine, groupOf(cpu, space)),
  };
}

/** Publishes a process's TLB counters. By the CPU that runs it. */
export function publishTlbCounters(cpu: Cpu, proc: number, hits: number, misses: number): void {
  storeWide(cpu.machine, proc + L.P_TLB_HITS, hits);
  storeWide(cpu.machine, proc + L.P_TLB_MISSES, misses);
}

/** Sums of the CPUs' counters, by name. */
export function cpuCounters(machine: Machine): Record<string, number> {
  const sums: Record<string, number> = {};
  L.CPU_STATS.forEach((name, index) => {
    let sum = 0;
    for (let id = 0; id < machine.cpus; id++) {
      sum += peek(machine.words, machine.cpuBase + id * L.CPU_WORDS + L.C_STATS + index);
    }
    sums[name] = sum;
  });
  return sums;
}

/** Frames of the machine by use, now and at the peak. Frames in CPU caches count as free now. */
export function frameUsage(machine: Machine): {
  total: number;
  used: number;
  usedPeak: number;
  tables: number;
  tablesPeak: number;
} {
  const { words } = machine;
  let cached = 0;
  for (let id = 0; id < machine.cpus; id++) {
    cached += peek(words, machine.cpuBase + id * L.CPU_WORDS + L.C_CACHE_COUNT);
  }
  const total = machine.frames - 1;
  return {
    total,
    used: total - peek(words, L.B_FREE_FRAMES) - cached,
    usedPeak: total - peek(words, L.B_FREE_LOW),
    tables: peek(words, L.B_TABLE_FRAMES),
    tablesPeak: peek(words, L.B_TABLE_FRAMES_PEAK),
  };
}

/** Advances the machine's clock. By the kernel worker only. */
export function setJiffies(machine: Machine, ms: number): void {
  poke(machine.words, L.B_JIFFIES, Math.floor(ms));
}
