/** The processes and CPUs of the machine, as its blocks describe them at this moment. */
import { allPids, loadWide, processName, processOf } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { Pfn, Pid, ProcessBlock, SpaceBlock } from '../../shared/units.ts';
import { word } from './words.ts';

export interface ProcessRow {
  readonly pid: Pid;
  readonly tgid: Pid;
  readonly name: string;
  readonly parent: Pid;
  readonly cpu: number;
  readonly state: 'new' | 'running' | 'ended';
  /** 0 when it has ended. */
  readonly space: SpaceBlock;
  readonly root: Pfn;
  readonly resident: number;
  readonly tables: number;
  readonly faultsMinor: number;
  readonly faultsMajor: number;
  readonly shootdowns: number;
  readonly tlbHits: number;
  readonly tlbMisses: number;
}

const stateNames: Readonly<Record<number, ProcessRow['state']>> = {
  [PROCESS.NEW]: 'new',
  [PROCESS.RUNNING]: 'running',
  [PROCESS.ZOMBIE]: 'ended',
};

export function processRow(machine: Machine, pid: Pid): ProcessRow | null {
  const proc: ProcessBlock = processOf(machine, pid);
  if (proc === 0) return null;
  const field = (at: number): number => word(machine, proc + at);
  const space: SpaceBlock = field(PROCESS.SPACE);
  const ofSpace = (at: number): number => (space === 0 ? 0 : word(machine, space + at));
  return {
    pid,
    tgid: field(PROCESS.TGID),
    name: processName(machine, proc),
    parent: field(PROCESS.PARENT),
    cpu: field(PROCESS.CPU),
    state: stateNames[field(PROCESS.STATE)] ?? 'ended',
    space,
    root: ofSpace(SPACE.ROOT),
    resident: ofSpace(SPACE.RESIDENT),
    tables: ofSpace(SPACE.TABLES),
    faultsMinor: ofSpace(SPACE.FAULTS_MINOR),
    faultsMajor: ofSpace(SPACE.FAULTS_MAJOR),
    shootdowns: ofSpace(SPACE.SHOOTDOWNS),
    tlbHits: loadWide(machine, proc + PROCESS.TLB_HITS),
    tlbMisses: loadWide(machine, proc + PROCESS.TLB_MISSES),
  };
}

/** All that have a block, by pid. */
export function processRows(machine: Machine): ProcessRow[] {
  return allPids(machine)
    .sort((a, b) => a - b)
    .map((pid) => processRow(machine, pid))
    .filter((row) => row !== null);
}

/** One row for each address space that is in use: threads share theirs. */
export function spacesOf(rows: readonly ProcessRow[]): ProcessRow[] {
  const seen = new Set<SpaceBlock>([0]);
  return rows.filter(({ space }) => !seen.has(space) && seen.add(space));
}

const modeNames: Readonly<Record<number, string>> = {
  [CPU.MODE_OFFLINE]: 'offline',
  [CPU.MODE_IDLE]: 'idle',
  [CPU.MODE_KERNEL]: 'kernel',
  [CPU.MODE_USER]: 'user',
  [CPU.MODE_BLOCKED]: 'waits',
  [CPU.MODE_PARKED]: 'stopped',
  [CPU.MODE_DEAD]: 'dead',
};

export interface CpuRow {
  readonly id: number;
  readonly mode: string;
  /** The address space that it uses in user mode, else 0. */
  readonly space: SpaceBlock;
  readonly cached: number;
  /** Counters by name. */
  readonly stat: (name: CPU.StatName) => number;
}

export function cpuRow(machine: Machine, id: number): CpuRow {
  const base = machine.cpuBase + id * CPU.WORDS;
  const mode = word(machine, base + CPU.MODE);
  return {
    id,
    mode: modeNames[mode & CPU.MODE_MASK] ?? 'offline',
    space: (mode >>> CPU.MODE_SPACE_SHIFT) << SPACE.ALIGN_SHIFT,
    cached: word(machine, base + CPU.CACHE_COUNT),
    stat: (name) => word(machine, base + CPU.STATS + CPU.STAT_NAMES.indexOf(name)),
  };
}

/** The kernel worker and the CPUs of the pool, and spares that are in use. */
export function cpuRows(machine: Machine, pool: number): CpuRow[] {
  const rows = Array.from({ length: machine.cpus }, (_, id) => cpuRow(machine, id));
  return rows.filter(({ id, mode }) => id <= pool || mode !== 'offline');
}
