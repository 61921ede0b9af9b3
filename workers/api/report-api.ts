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
  | {
      /** What it returned, 0 to 255. */
      readonly code: number;
      /** Undefined: no signal ended it. */
      readonly signal?: undefined;
    }
  | {
      /** Undefined: it returned nothing. */
      readonly code?: undefined;
      /** 'SIGSEGV', 'SIGBUS', 'SIGKILL', 'SIGABRT' (the program threw), … */
      readonly signal: string;
      /** 'SEGV_MAPERR', 'SEGV_ACCERR', 'BUS_ADRERR' for a memory fault. */
      readonly faultCode?: string;
      /** Fault address. */
      readonly address?: number;
      /** What the program threw, or why it was killed, in one line. */
      readonly reason?: string;
      /**
       * The stack of what the program threw, with that of its causes, as Node prints them: files,
       * lines and columns of the program's sources. Also for a memory fault.
       */
      readonly stack?: string;
    };

/**
 * A process or thread. Faults, shootdowns and resident pages are those of its address space, and so
 * the same for all threads of one process: add them up over different `tgid`s.
 */
export interface ProcessReport {
  /** Its number. */
  readonly pid: number;
  /** The process whose address space it uses: its own pid unless it is a thread. */
  readonly tgid: number;
  /** The name that it was started with. */
  readonly name: string;
  /** The CPU that it runs on or ran on last. */
  readonly cpu: number;
  /** How it ended, null while it runs. */
  readonly status: ExitStatus | null;
  /** Time since its start, or until its end. */
  readonly wallMs: number;
  /** Time that it has run on its CPU, without sleeps and other processes' turns. */
  readonly cpuMs: number;
  /** Faults that waited for nothing. */
  readonly faultsMinor: number;
  /** Faults that waited for a file, a module or swap. */
  readonly faultsMajor: number;
  /** Accesses that found their translation in the TLB. */
  readonly tlbHits: number;
  /** Accesses that had to walk the page table. */
  readonly tlbMisses: number;
  /** Flushes that other CPUs had to be told of. */
  readonly shootdowns: number;
  /** Pages of 4 KiB that are mapped now. */
  readonly residentPages: number;
  /** The most that were mapped. */
  readonly residentPagesPeak: number;
  /** The memory group that it is in, or was in at its end. */
  readonly memoryGroup: MemoryGroup | null;
}

/** How often a syscall was made, and how long it took. */
export interface SyscallReport {
  /** Its name. */
  readonly name: string;
  /** Calls. */
  readonly count: number;
  /** Half of the calls took no longer, in microseconds. */
  readonly p50Us: number;
  /** Of 100 calls, 99 took no longer, in microseconds. */
  readonly p99Us: number;
}

/** Statistics of a machine. */
export interface MachineReport {
  /** Simulated memory in bytes. */
  readonly memoryBytes: number;
  /** CPUs of the pool. */
  readonly cpus: number;
  /** The locking protocol's name. */
  readonly protocol: string;
  /** Which build of the kernel resolves faults: compiled to WebAssembly, or JavaScript. */
  readonly kernel: 'wasm' | 'javascript';
  /** When stale translations are flushed. */
  readonly shootdown: FlushPolicy;
  /** Who resolves faults. */
  readonly faults: FaultMode;
  /** Frames of 4 KiB that can be used. */
  readonly framesTotal: number;
  /** Frames in use now. */
  readonly framesUsed: number;
  /** The most that were in use. */
  readonly framesUsedPeak: number;
  /** Frames that are page tables now. */
  readonly tableFrames: number;
  /** The most that were page tables. */
  readonly tableFramesPeak: number;
  /** Operations of each kind that faults were injected into, and those that failed. */
  readonly injected: Readonly<Record<string, { readonly seen: number; readonly failed: number }>>;
  /** Pages of the swap store, and how many of them are used. */
  readonly swapPages: number;
  /** Pages of the swap store that are used. */
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
  /** Each syscall that was made. */
  readonly syscalls: readonly SyscallReport[];
  /** Summed over the CPUs: see CPU.STAT_NAMES in shared/layout/regions.ts. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What an audit has found. */
export interface AuditReport {
  /** Whether there was no violation. */
  readonly clean: boolean;
  /** One sentence each; empty if it is clean. */
  readonly violations: readonly string[];
  /**
   * What breaks no rule of the machine: Workers that the code of an ended process keeps at this
   * moment, and the last ones that were replaced because a process did not let go of them.
   */
  readonly notes: readonly string[];
  /** How much was checked, so that "clean" is never a verdict on nothing. */
  readonly checked: Readonly<Record<string, number>>;
}
