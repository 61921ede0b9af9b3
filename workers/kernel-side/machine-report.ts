/** The figures of a machine and its processes, as `stats()` gives them. */
import {
  SYSCALL_NAMES,
  cpuCounters,
  frameUsage,
  processUsage,
  readHistogram,
} from '../../kernel/index.ts';
import type { Cpu } from '../../kernel/index.ts';
import { peek } from '../../shared/atomics.ts';
import { B_SWAP_USED } from '../../shared/layout.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import type { KernelInit, WireStatus } from '../../shared/protocol.ts';
import type { MachineReport, ProcessReport, SyscallReport } from '../api.ts';
import type { ProcessEntry, ProcessTable } from './process-table.ts';

/** What is known of a process while it still has its memory. */
export function reportProcess(
  cpu: Cpu,
  entry: ProcessEntry,
  status: WireStatus | null,
  nowMs: number,
): ProcessReport {
  const usage = processUsage(cpu, entry.pid);
  return {
    pid: entry.pid,
    tgid: entry.tgid,
    name: entry.name,
    cpu: entry.cpu,
    status,
    wallMs: nowMs - entry.startedMs,
    faultsMinor: usage?.faultsMinor ?? 0,
    faultsMajor: usage?.faultsMajor ?? 0,
    tlbHits: usage?.tlbHits ?? 0,
    tlbMisses: usage?.tlbMisses ?? 0,
    shootdowns: usage?.shootdowns ?? 0,
    residentPages: usage?.residentPages ?? 0,
    residentPagesPeak: usage?.residentPagesPeak ?? 0,
  };
}

function reportSyscalls(cpu: Cpu): SyscallReport[] {
  return SYSCALL_NAMES.map((name, index) => {
    const { count, p50Ns, p99Ns } = readHistogram(cpu.machine, index);
    return { name, count, p50Us: p50Ns / 1000, p99Us: p99Ns / 1000 };
  }).filter(({ count }) => count > 0);
}

export function reportMachine(cpu: Cpu, init: KernelInit, table: ProcessTable): MachineReport {
  const { machine } = cpu;
  const frames = frameUsage(machine);
  const nowMs = performance.now();
  return {
    memoryBytes: machine.frames * PAGE_SIZE,
    cpus: init.cpus,
    protocol: machine.protocol.name,
    shootdown: machine.flushPolicy,
    faults: init.faults,
    framesTotal: frames.total,
    framesUsed: frames.used,
    framesUsedPeak: frames.usedPeak,
    tableFrames: frames.tables,
    tableFramesPeak: frames.tablesPeak,
    swapPages: machine.swapSlots,
    swapPagesUsed: peek(machine.words, B_SWAP_USED),
    processes: table.all().map((entry) => entry.report ?? reportProcess(cpu, entry, null, nowMs)),
    syscalls: reportSyscalls(cpu),
    counters: cpuCounters(machine),
  };
}
