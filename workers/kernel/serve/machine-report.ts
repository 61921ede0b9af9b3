/** The figures of a machine and its processes: `stats()`, and the /proc files of a process. */
import {
  SYSCALL_NAMES,
  cpuCounters,
  formatMaps,
  formatSmaps,
  formatStatm,
  formatStatus,
  frameUsage,
  injectionCounts,
  processUsage,
  readHistogram,
  readPagemap,
} from '../../../kernel/index.ts';
import type { Cpu, ObjectNames } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import { ESRCH } from '../../../shared/abi/errno.ts';
import * as BOOT from '../../../shared/layout/boot.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { KernelInit, WireProcFile, WireStatus } from '../../../shared/wire.ts';
import type { MachineReport, ProcessReport, SyscallReport } from '../../api/machine-api.ts';
import { inKernel } from '../in-kernel.ts';
import type { ProcessEntry, ProcessTable } from '../processes/process-table.ts';

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
    cpu: usage === null || usage.cpu === 0 ? entry.cpu : usage.cpu,
    status,
    wallMs: nowMs - entry.startedMs,
    cpuMs: (usage?.cpuUs ?? 0) / 1000,
    faultsMinor: usage?.faultsMinor ?? 0,
    faultsMajor: usage?.faultsMajor ?? 0,
    tlbHits: usage?.tlbHits ?? 0,
    tlbMisses: usage?.tlbMisses ?? 0,
    shootdowns: usage?.shootdowns ?? 0,
    residentPages: usage?.residentPages ?? 0,
    residentPagesPeak: usage?.residentPagesPeak ?? 0,
    memoryGroup: usage?.memoryGroup ?? null,
  };
}

function reportSyscalls(cpu: Cpu): SyscallReport[] {
  return SYSCALL_NAMES.map((name, index) => {
    const { count, p50Ns, p99Ns } = readHistogram(cpu.machine, index);
    return { name, count, p50Us: p50Ns / 1000, p99Us: p99Ns / 1000 };
  }).filter(({ count }) => count > 0);
}

export function reportMachine(
  cpu: Cpu,
  init: KernelInit,
  table: ProcessTable,
  memoryWaitMs: number,
): MachineReport {
  const { machine } = cpu;
  const frames = frameUsage(machine);
  const nowMs = performance.now();
  return {
    memoryBytes: machine.frames * PAGE_SIZE,
    cpus: init.cpus,
    protocol: machine.protocol.name,
    kernel: cpu.compiled === null ? 'javascript' : 'wasm',
    shootdown: machine.flushPolicy,
    faults: init.faults,
    framesTotal: frames.total,
    framesUsed: frames.used,
    framesUsedPeak: frames.usedPeak,
    tableFrames: frames.tables,
    tableFramesPeak: frames.tablesPeak,
    injected: injectionCounts(cpu),
    swapPages: machine.swapSlots,
    swapPagesUsed: peek(machine.words, BOOT.SWAP_USED),
    memoryWaitMs,
    processes: table.all().map((entry) => entry.report ?? reportProcess(cpu, entry, null, nowMs)),
    processesForgotten: table.forgotten,
    syscalls: reportSyscalls(cpu),
    counters: cpuCounters(machine),
  };
}

/** The text of a process's file in /proc, or -ESRCH. */
export function procFile(
  cpu: Cpu,
  pid: number,
  name: WireProcFile,
  table: ProcessTable,
  names: ObjectNames,
): string | number {
  const text = inKernel(cpu, () => {
    switch (name) {
      case 'maps':
        return formatMaps(cpu, pid, names);
      case 'smaps':
        return formatSmaps(cpu, pid, names);
      case 'status':
        return formatStatus(cpu, pid, table.get(pid)?.tgid ?? pid);
      case 'statm':
        return formatStatm(cpu, pid);
    }
  });
  return text ?? -ESRCH;
}

/** Entries of a process's /proc/PID/pagemap from page `first` (VPN), or -ESRCH. */
export function pagemap(
  cpu: Cpu,
  pid: number,
  first: number,
  pages: number,
): BigUint64Array | number {
  const words = inKernel(cpu, () => readPagemap(cpu, pid, first, pages));
  return words === null ? -ESRCH : new BigUint64Array(words.buffer);
}
