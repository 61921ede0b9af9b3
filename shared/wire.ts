/**
 * The wire protocol between the threads of a machine: types, numbers and names only.
 *
 *     host (main thread) ⇄ kernel worker ⇄ CPU workers       each ⇄ one MessagePort, comlink
 *     CPU worker → kernel worker                             traps, through the machine itself
 *
 * A syscall that the kernel refuses returns -errno, as a number: it is an outcome, not an
 * exception. Exceptions are for failures without an errno: a broken machine, a dead Worker.
 */

// ---- Traps ------------------------------------------------------------------------------------

// A trap is a syscall's number (syscalls.ts) or one of these, which programs cannot ask for.
/** {address, 1 for a write}: resolve a fault that the CPU cannot resolve itself. */
export const TRAP_FAULT = 0x1000;
/** {address, width in bytes, value}: a device's register. */
export const TRAP_DEVICE_LOAD = 0x1001;
export const TRAP_DEVICE_STORE = 0x1002;
/** {first VPN, end VPN}: the rest of a range to fault in, which waits for a page. */
export const TRAP_POPULATE = 0x1003;
/** {}: the call that a message of the same process has staged (WireStaged). */
export const TRAP_STAGED = 0x1004;
/** {number}: the CPU has carried out this syscall; what is left of it is the host's part. */
export const TRAP_DONE_HERE = 0x1005;

// ---- Values -----------------------------------------------------------------------------------

/** How a process ended; the public ExitStatus. */
export type WireStatus =
  | { readonly code: number; readonly signal?: undefined }
  | {
      readonly code?: undefined;
      readonly signal: string;
      readonly faultCode?: string;
      readonly address?: number;
      readonly reason?: string;
      readonly stack?: string;
    };

/** The reason of a process that was killed for want of memory. */
export const OUT_OF_MEMORY = 'out of memory';

export interface WireWaitResult {
  readonly pid: number;
  readonly status: WireStatus;
}

export interface WireFileInfo {
  readonly size: number;
  readonly kind: string;
}

/** What clone(2) gets besides what it runs (abi/sched.ts). */
export interface WireClone {
  readonly flags: number;
  readonly stack: WireStack | null;
  readonly tls: number;
  readonly parentTid: number;
  readonly childTid: number;
}

/** Memory for a thread's stack. */
export interface WireStack {
  readonly address: number;
  readonly bytes: number;
}

export interface WireSpawn {
  /** Absolute URL. */
  readonly module: string;
  /** Name of the module's export to run. */
  readonly entry: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly dedicated: boolean;
  readonly inherit: boolean;
  /** A thread of the caller, in the caller's address space. */
  readonly thread: boolean;
  /** With a copy of the caller's address space. */
  readonly fork: boolean;
  /** Of clone with flags. */
  readonly clone: WireClone | null;
  /** Bytes of a stack of its own. */
  readonly stackBytes: number;
  /** null: the parent's value. */
  readonly nice: number | null;
  /** Pages of a new memory group; null: the parent's group. */
  readonly memoryMaxPages: number | null;
  /** A mask (capabilities.ts); null: the parent's. */
  readonly capabilities: number | null;
  /** The caller's Worker sleeps in this call: the kernel worker says so. */
  readonly isAsleep?: true;
}

/** A call by trap whose arguments are no numbers. */
export type WireStaged =
  | { readonly call: 'exec'; readonly name: string }
  | { readonly call: 'open'; readonly name: string; readonly flags: number }
  | { readonly call: 'unlink'; readonly name: string }
  | { readonly call: 'memfdCreate'; readonly name: string; readonly flags: number }
  | { readonly call: 'spawn'; readonly request: WireSpawn };

/** A process that a CPU may start, at an export of a module. */
export interface WireStart {
  readonly pid: number;
  readonly module: string;
  readonly entry: string;
  readonly args: readonly unknown[];
  /** The stack that its maker gave it. */
  readonly stack: WireStack | null;
}

/** The texts of /proc/PID that the kernel writes. */
export const WIRE_PROC_FILES = ['maps', 'smaps', 'status', 'statm'] as const;
export type WireProcFile = (typeof WIRE_PROC_FILES)[number];

/** A path that the machine may write. */
export interface WireWritableFile {
  readonly path: string;
}

/** A file: a path or URL that the kernel worker opens, or the bytes themselves. */
export type WireFile = string | WireWritableFile | Uint8Array | Blob;

/** How page faults enter the kernel: on the CPU that faulted, or by a trap to the kernel worker. */
export const FAULT_MODES = ['local', 'remote'] as const;
/** Who resolves faults: the CPU itself, or the kernel worker on its behalf. */
export type FaultMode = (typeof FAULT_MODES)[number];

/** What every Worker of a machine must know. */
export interface WireMachine {
  /** What it is made of: kernel/machine/machine-memory.ts. */
  readonly memory: SharedArrayBuffer | WebAssembly.Memory;
  /** The compiled kernel; null where the kernel runs as JavaScript. */
  readonly kernel: WebAssembly.Module | null;
  /** Name of a built-in locking protocol, or the URL of a module. */
  readonly protocol: string;
  readonly faults: FaultMode;
  readonly seed: number;
}

// ---- The first message to a Worker ------------------------------------------------------------

export interface KernelInit extends WireMachine {
  /** CPU workers of the pool: CPUs 1 to `cpus`; the CPUs beyond are for dedicated Workers. */
  readonly cpus: number;
  /** Name of a built-in reclaim policy, or the URL of a module. */
  readonly reclaim: string;
  /** Free frames that are kept zeroed. */
  readonly prezeroFrames: number;
  readonly files: Readonly<Record<string, WireFile>>;
  /** Name to module URL. */
  readonly devices: Readonly<Record<string, string>>;
  readonly backends: Readonly<Record<string, string>>;
  /** Name to size in bytes. */
  readonly linear: Readonly<Record<string, number>>;
  readonly port: MessagePort;
}

export interface CpuInit extends WireMachine {
  readonly cpu: number;
  readonly port: MessagePort;
}

// ---- What each side offers the other ----------------------------------------------------------

/** Offered by the host to the kernel worker. */
export interface HostApi {
  /** Starts a Worker for a CPU; resolves to the kernel worker's end of their channel. */
  startCpu(cpu: number, generation: number): MessagePort;
  /** Terminates it; `cpuDied` follows. */
  endCpu(cpu: number, generation: number): Promise<void>;
  print(pid: number, line: string): void;
  /** What a process writes to descriptor 1 or 2. Resolves when the host has taken it. */
  output(pid: number, fd: number, bytes: Uint8Array): Promise<void>;
  /** The machine found a broken invariant: nothing continues. */
  panicked(message: string): void;
}

/** Offered by the kernel worker to the host; `Reports` are the public API's report types. */
export interface KernelHostApi<Stats, Audit> {
  /** Resolves when all CPUs of the pool are up. */
  ready(): Promise<void>;
  spawn(request: WireSpawn): Promise<number>;
  /** Resolves when the process has ended. */
  status(pid: number): Promise<WireStatus>;
  /** Resolves when it is gone, or was already. -EINVAL for a signal that cannot be sent. */
  kill(pid: number, signal: string): Promise<number>;
  addFile(name: string, file: WireFile): Promise<void>;
  /** The text of /proc/PID/NAME, or -ESRCH. */
  procFile(pid: number, name: WireProcFile): string | number;
  /** Entries of /proc/PID/pagemap from page `first` (VPN), or -ESRCH. */
  pagemap(pid: number, first: number, pages: number): BigUint64Array | number;
  stats(): Stats;
  dmesg(): string[];
  audit(): Promise<Audit>;
  /** Stops the machine, and keeps it so until the word of `gate` is PAUSE_OVER. */
  hold(gate: Int32Array<SharedArrayBuffer>): void;
  cpuDied(cpu: number, generation: number, reason: string): void;
  /** Ends all processes and CPU workers. */
  shutdown(): Promise<void>;
}

/** Offered by the kernel worker to a CPU worker. `pid` is always the calling process. */
export interface KernelCpuApi {
  /** A syscall of the table in syscalls.ts. */
  syscall(pid: number, number: number, args: readonly number[]): number | Promise<number>;
  /** Says what the process's next TRAP_STAGED asks for. */
  stage(pid: number, call: WireStaged): void;
  open(pid: number, name: string, flags: number): Promise<number>;
  unlink(pid: number, name: string): Promise<number>;
  memfdCreate(pid: number, name: string, flags: number): number;
  fstat(pid: number, fd: number): Promise<WireFileInfo | number>;
  /** Makes the process the pager of `/pager/NAME`; returns a descriptor for it. */
  createPager(pid: number, name: string, sizeBytes: number): number;
  spawn(pid: number, request: WireSpawn): Promise<number>;
  /** `child` null waits for any. */
  wait(pid: number, child: number | null): Promise<WireWaitResult | number>;
  /** Ends the caller's waits for children with -EINTR. */
  interruptWaits(pid: number): void;
  /** `signal` 0 sends nothing. Resolves when the target is gone, if the signal ends it. */
  kill(pid: number, target: number, signal: string | 0): Promise<number>;
  print(pid: number, line: string): void;
  /** `endsGroup`: and so have the other threads of its group. */
  exited(pid: number, status: WireStatus, endsGroup: boolean): void;
  /** What a process left behind calls the machine again and again. */
  goesOn(pid: number): void;
  attending(): void;
  panicked(message: string): void;
}

/** Offered by a CPU worker to the kernel worker. */
export interface CpuApi {
  /** Resolves when the CPU runs. */
  ready(): void;
  /**
   * Puts new processes into the run queue. Several CPUs may be told of the same process; the first
   * one whose turn it is runs it (startProcess). `exited` reports its end.
   */
  start(orders: readonly WireStart[]): void;
  /** Ends a process that is not running at this moment; a process that awaits is not running. */
  kill(pid: number, signal: string): void;
  /** Makes a process check for signals that it may have missed because it awaits. */
  signalled(pid: number): void;
  /** Makes a pager process supply a page of its object. */
  servePage(pid: number, path: string, page: number): Promise<Uint8Array>;
  /**
   * Makes an idle CPU take part in the audit that is about to begin: it enters the kernel, calls
   * `attending`, and waits for the audit to stop it.
   */
  attend(): void;
}
