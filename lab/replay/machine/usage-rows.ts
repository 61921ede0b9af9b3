/** What processes and the machine have used, as rows of a report. */
import { BUDDY_ORDERS } from '../../../shared/limits.ts';
import { peek } from '../../../shared/atomics.ts';
import * as BOOT from '../../../shared/layout/boot.ts';
import * as FRAME from '../../../shared/layout/frame.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { frameField } from '../../../kernel/machine/machine.ts';
import { cpuCounters, frameUsage, processUsage } from '../../../kernel/reports/usage.ts';
import { areasOf } from '../../../kernel/space/space.ts';
import type { FrameRow, ProcessRow } from '../replay-report.ts';
import type { ReplayProcess } from './replay-process.ts';

/** Rows that are kept; the largest matter. */
const ROWS_MAX = 1000;

/** The row of a process, just before it ends. */
function rowOf(cpu: Cpu, process: ReplayProcess): ProcessRow {
  const usage = processUsage(cpu, process.pid);
  const { protocol } = cpu.machine;
  const { block } = process;
  protocol.lockAreas(cpu, block);
  const areas = areasOf(cpu, block).len() - process.space.hidden.length;
  protocol.unlockAreas(cpu, block);
  return {
    process: process.recorded,
    name: process.name,
    threads: process.space.users,
    calls: process.space.calls,
    areas,
    residentPages: usage?.residentPages ?? 0,
    residentPagesPeak: usage?.residentPagesPeak ?? 0,
    tables: peek(cpu.words, block + SPACE.TABLES),
    faultsMinor: usage?.faultsMinor ?? 0,
    faultsMajor: usage?.faultsMajor ?? 0,
  };
}

/** Keeps the largest processes' rows. */
export class UsageRows {
  total = 0;
  #rows: ProcessRow[] = [];

  add(cpu: Cpu, process: ReplayProcess): void {
    this.total++;
    this.#rows.push(rowOf(cpu, process));
    if (this.#rows.length >= 2 * ROWS_MAX) this.#cut();
  }

  /** The largest first. */
  rows(): readonly ProcessRow[] {
    this.#cut();
    return this.#rows;
  }

  #cut(): void {
    const size = (row: ProcessRow): number => row.residentPagesPeak * 2 ** 20 + row.calls;
    this.#rows.sort((a, b) => size(b) - size(a) || a.process - b.process);
    this.#rows.length = Math.min(this.#rows.length, ROWS_MAX);
  }
}

export function frameRow(cpu: Cpu): FrameRow {
  const { machine, words } = cpu;
  const freeBlocks: number[] = [];
  for (let order = 0; order < BUDDY_ORDERS; order++) {
    let blocks = 0;
    for (let pfn = peek(words, BOOT.FREE_HEADS + order); pfn !== 0; blocks++) {
      pfn = peek(words, frameField(machine, pfn, FRAME.LINK));
    }
    freeBlocks.push(blocks);
  }
  const free = freeBlocks.reduce((sum, blocks, order) => sum + blocks * 2 ** order, 0);
  const whole = (freeBlocks[BUDDY_ORDERS - 1] ?? 0) * 2 ** (BUDDY_ORDERS - 1);
  return {
    ...frameUsage(machine),
    freeBlocks,
    fragmentedPercent: free === 0 ? 100 : ((free - whole) / free) * 100,
  };
}

/** Faults and what they led to, by the names of the CPU's counters. */
export function faultCounts(cpu: Cpu): Record<string, number> {
  const { faultsMinor = 0, faultsMajor = 0, raceLosses = 0 } = cpuCounters(cpu.machine);
  return { minor: faultsMinor, major: faultsMajor, lost: raceLosses };
}
