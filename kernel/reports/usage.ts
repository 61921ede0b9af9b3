/** What a process and the machine have used: the numbers of reports. */
import { load, peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { Pid } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Machine } from '../machine/machine.ts';
import { processName } from '../processes/process.ts';
import { processOf } from '../processes/pid-table.ts';
import { groupOf, groupUsage } from '../frames/memory-group.ts';
import type { MemoryGroup } from '../frames/memory-group.ts';
import { loadWide } from '../frames/wide.ts';

/** What a process has used. */
export interface ProcessUsage {
  /** Its number. */
  readonly pid: Pid;
  /** Its name. */
  readonly name: string;
  /** CPU that runs it, 0 when none has started it. */
  readonly cpu: number;
  /** Time on that CPU in microseconds, without sleeps and other processes' turns. */
  readonly cpuUs: number;
  /** Faults of its address space that waited for nothing. */
  readonly faultsMinor: number;
  /** Faults of its address space that waited for a page. */
  readonly faultsMajor: number;
  /** Accesses that found their translation in the TLB. */
  readonly tlbHits: number;
  /** Accesses that had to walk the page table. */
  readonly tlbMisses: number;
  /** Flushes of its address space that other CPUs were told of. */
  readonly shootdowns: number;
  /** Pages of its address space that are mapped now. */
  readonly residentPages: number;
  /** The most that were mapped. */
  readonly residentPagesPeak: number;
  /** The memory group of its address space, null for none. */
  readonly memoryGroup: MemoryGroup | null;
}

/** Usage of a process whose address space still exists; null otherwise. */
export function processUsage(cpu: Cpu, pid: Pid): ProcessUsage | null {
  const { machine, words } = cpu;
  const proc = processOf(machine, pid);
  const space = proc === 0 ? 0 : peek(words, proc + PROCESS.SPACE);
  if (space === 0) return null;
  return {
    pid,
    name: processName(machine, proc),
    cpu: peek(words, proc + PROCESS.CPU),
    cpuUs: loadWide(machine, proc + PROCESS.CPU_US),
    // ORDER: momentary values of counters.
    faultsMinor: load(words, space + SPACE.FAULTS_MINOR),
    faultsMajor: load(words, space + SPACE.FAULTS_MAJOR),
    tlbHits: loadWide(machine, proc + PROCESS.TLB_HITS),
    tlbMisses: loadWide(machine, proc + PROCESS.TLB_MISSES),
    shootdowns: load(words, space + SPACE.SHOOTDOWNS),
    residentPages: load(words, space + SPACE.RESIDENT),
    residentPagesPeak: load(words, space + SPACE.RESIDENT_PEAK),
    memoryGroup: groupUsage(machine, groupOf(cpu, space)),
  };
}

/** Sums of the CPUs' counters, by name. */
export function cpuCounters(machine: Machine): Record<string, number> {
  const sums: Record<string, number> = {};
  CPU.STAT_NAMES.forEach((name, index) => {
    let sum = 0;
    for (let id = 0; id < machine.cpus; id++) {
      sum += peek(machine.words, machine.cpuBase + id * CPU.WORDS + CPU.STATS + index);
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
    cached += peek(words, machine.cpuBase + id * CPU.WORDS + CPU.CACHE_COUNT);
  }
  const total = machine.frames - 1;
  return {
    total,
    used: total - peek(words, BOOT.FREE_FRAMES) - cached,
    usedPeak: total - peek(words, BOOT.FREE_LOW),
    tables: peek(words, BOOT.TABLE_FRAMES),
    tablesPeak: peek(words, BOOT.TABLE_FRAMES_PEAK),
  };
}

/** Advances the machine's clock. Only on the kernel worker. */
export function setJiffies(machine: Machine, ms: number): void {
  poke(machine.words, BOOT.JIFFIES, Math.floor(ms));
}
