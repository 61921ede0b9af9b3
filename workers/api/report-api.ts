/** The types of a machine's reports: how processes ended, statistics, audits. */
import type { FlushPolicy } from '../../kernel/machine/flush-policies.ts';
import type { MemoryGroup } from '../../kernel/frames/memory-group.ts';
import type { FaultMode } from '../../shared/wire.ts';

export type { MemoryGroup } from '../../kernel/frames/memory-group.ts';
export type { FaultMode } from '../../shared/wire.ts';

/**
 * How a process ended: by itself with a code, or by a signal. `code` and `signal` tell the two
 * apart, one of them is undefined: `if (status.code !== undefined)`.
 */
export type ExitStatus =
  | { readonly code: number; readonly signal?: undefined }
  | {
      readonly code?: undefined;
      /** 'SIGSEGV', 'SIGBUS', 'SIGKILL', 'SIGABRT' (the program threw), … */
      readonly signal: string;
      /** 'SEGV_MAPERR', 'SEGV_ACCERR', 'BUS_ADRERR' for a memory fault. */
      readonly faultCode?: string;
      /** Fault address. */
      readonly address?: number;
      /** What the program threw, or why it was killed, in one line. */
      readonly reason?: string;
    };

/**
 * A process or thread. Faults, shootdowns and resident pages are those of its address space, and so
 * the same for all threads of one process: add them up over different `tgid`s.
 */
export interface ProcessReport {
  readonly pid: number;
  /** The process whose address space it uses: its own pid unless it is a thread. */
  readonly tgid: number;
  readonly name: string;
  readonly cpu: number;
  readonly status: ExitStatus | null;
  readonly wallMs: number;
  /** Time that it has run on its CPU, without sleeps and other processes' turns. */
  readonly cpuMs: number;
  readonly faultsMinor: number;
  readonly faultsMajor: number;
  readonly tlbHits: number;
  readonly tlbMisses: number;
  readonly shootdowns: number;
  readonly residentPages: number;
  readonly residentPagesPeak: number;
  /** The memory group that it is in, or was in at its end. */
  readonly memoryGroup: MemoryGroup | null;
}

export interface SyscallReport {
  readonly name: string;
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface MachineReport {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly protocol: string;
  readonly shootdown: FlushPolicy;
  readonly faults: FaultMode;
  readonly framesTotal: number;
  readonly framesUsed: number;
  readonly framesUsedPeak: number;
  readonly tableFrames: number;
  readonly tableFramesPeak: number;
  /** Operations of each kind that faults were injected into, and those that failed. */
  readonly injected: Readonly<Record<string, { readonly seen: number; readonly failed: number }>>;
  /** Pages of the swap store, and how many of them are used. */
  readonly swapPages: number;
  readonly swapPagesUsed: number;
  /**
   * How long at least one fault or syscall waited for swap or for a frame: Linux's memory pressure,
   * `some`. Close to the time that has passed, the machine is thrashing.
   */
  readonly memoryWaitMs: number;
  /** Those that run or have not been waited for, and the last ENDED_KEPT (1,000) others. */
  readonly processes: readonly ProcessReport[];
  /** Ended processes that are no longer among them. */
  readonly processesForgotten: number;
  readonly syscalls: readonly SyscallReport[];
  /** Summed over the CPUs: see CPU.STAT_NAMES in shared/layout/regions.ts. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface AuditReport {
  readonly clean: boolean;
  readonly violations: readonly string[];
  /**
   * What breaks no rule of the machine: Workers that the code of an ended process keeps at this
   * moment, and the last ones that were replaced because a process did not let go of them.
   */
  readonly notes: readonly string[];
  /** How much was checked, so that "clean" is never a verdict on nothing. */
  readonly checked: Readonly<Record<string, number>>;
}
