/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The public types: what `boot()` gives a host program, and what a user program gets as `proc`.
 * Types only, no logic. Addresses are byte addresses in [0, 2^42); lengths are bytes.
 */
import type { CapabilityName } from '../../shared/abi/capabilities.ts';
import type { SignalName } from '../../shared/abi/signals.ts';
import type { FileSource } from './boot-api.ts';
import type { Memory } from './memory-api.ts';
import type { ProcessCalls } from './process-api.ts';
import type { AuditReport, ExitStatus, MachineReport } from './report-api.ts';
import type { AsyncSyscalls, StagedSyscalls, SyncSyscalls } from './syscall-api.ts';

export type * from './boot-api.ts';
export type { Memory, PinnedMemory } from './memory-api.ts';
export type { CapabilityName } from '../../shared/abi/capabilities.ts';
export type * from './process-api.ts';
export type * from './report-api.ts';
export type { AsyncSyscalls, StagedSyscalls, SyncSyscalls } from './syscall-api.ts';

// ---- The host's side ----------------------------------------------------------------------------

/** How a program is started. */
export interface SpawnOptions {
  /** Arguments handed to the program; structured-clonable. */
  readonly args?: readonly unknown[];
  /** Shown in reports. Default: the module's file name. */
  readonly name?: string;
  /** A Worker of its own instead of a shared one from the pool. */
  readonly dedicated?: boolean;
  /** The child gets the parent's open descriptors and shared mappings, as after fork. */
  readonly inherit?: boolean;
  /** Nice value, -20 (most urgent) to 19. Default: the parent's, or 0. */
  readonly nice?: number;
  /**
   * Begins a memory group: the most that the process and its descendants may have resident
   * together, in bytes or as '8MiB' (Linux: a control group's memory.max). Beyond it their own
   * pages go to swap; if none can go, the one with the most memory is killed. Default: the parent's
   * group.
   */
  readonly memoryMax?: number | string;
  /**
   * The process's capabilities, see BootOptions. A program can only give those that it has (EPERM).
   * Default: the parent's; of the host's processes, those given to `boot`.
   */
  readonly capabilities?: readonly CapabilityName[];
}

/** What the host can say besides. */
export interface HostSpawnOptions extends SpawnOptions {
  /**
   * Ends the process: `spawn` rejects with the signal's reason if it has not resolved yet, and the
   * process gets SIGKILL.
   */
  readonly signal?: AbortSignal;
}

/** How long the host waits for a process. */
export interface WaitOptions {
  /**
   * Milliseconds, 0 to 2^31 - 1. After that long `wait` rejects with a DOMException whose name is
   * 'TimeoutError'; the process runs on. Default: no limit.
   */
  readonly timeout?: number;
  /** Gives the wait up: it rejects with the signal's reason; the process runs on. */
  readonly signal?: AbortSignal;
}

/** How a thread is started. */
export interface CloneOptions {
  /** Arguments handed to the entry function; structured-clonable. */
  readonly args?: readonly unknown[];
  /** Shown in reports. Default: the entry's name. */
  readonly name?: string;
  /** A Worker of its own instead of a shared one from the pool. */
  readonly dedicated?: boolean;
  /** Bytes of a stack of its own, `proc.stack`, above a guard page; 0 for none. Default 64 KiB. */
  readonly stackBytes?: number;
  /**
   * CLONE_* flags of clone(2) and, in the low byte, SIGCHLD or 0. Default CLONE_VM. Without
   * CLONE_VM the child gets a copy of the memory, as with fork.
   */
  readonly flags?: number;
  /** Memory of the caller's for the thread's stack, instead of `stackBytes`: `proc.stack`. */
  readonly stack?: { readonly address: number; readonly bytes: number };
  /** CLONE_SETTLS: the thread's fs base (arch_prctl). */
  readonly tls?: number;
  /** CLONE_PARENT_SETTID: where the pid is stored for the caller, before the thread runs. */
  readonly parentTid?: number;
  /** CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID: the word of the thread's pid in its own memory. */
  readonly childTid?: number;
}

/** How `execve` starts the new program. */
export interface ExecOptions {
  /** Arguments handed to the new program; structured-clonable. */
  readonly args?: readonly unknown[];
  /** Shown in reports. Default: the module's file name. */
  readonly name?: string;
}

/** A process that the host has started. */
export interface ProcessHandle {
  /** Its number in the machine, from 1. */
  readonly pid: number;
  /**
   * Resolves when the process has ended; may be called any number of times. TypeError or RangeError
   * for a wrong option.
   */
  wait(options?: WaitOptions): Promise<ExitStatus>;
  /**
   * Sends a signal: 'SIGKILL' (default), 'SIGTERM', 'SIGUSR1', 'SIGUSR2' or 'SIGCHLD'. If it
   * ends the process, resolves when the process is gone.
   */
  kill(signal?: SignalName): Promise<void>;
}

/**
 * A running machine. On Node it keeps the host's process alive while a call of the host's is
 * pending or a process that the host has started runs; an idle machine does not. To end it in an
 * orderly way, `shutdown` it, or declare it with `await using`.
 */
export interface MachineHandle extends AsyncDisposable {
  /** All of its memory; do not write to it. */
  readonly buffer: SharedArrayBuffer;
  /**
   * Starts a process that runs the default export of a module. `module` is a URL, or a path on
   * Node; relative strings are relative to the working directory, in a browser to the page. On Node
   * it may be TypeScript, of which the types are stripped. TypeError or RangeError for a wrong
   * option; SyscallError EAGAIN or ENOMEM.
   */
  spawn(module: URL | string, options?: HostSpawnOptions): Promise<ProcessHandle>;
  /** Hands another file to the running machine. */
  addFile(name: string, source: FileSource): Promise<void>;
  /**
   * The texts of /proc/PID/maps, smaps, status and statm, as Linux 6.18 prints them; `status` has
   * the lines that apply to this machine. SyscallError ESRCH when the process has ended.
   */
  maps(pid: number): Promise<string>;
  /** The text of /proc/PID/smaps. */
  smaps(pid: number): Promise<string>;
  /** The text of /proc/PID/status. */
  status(pid: number): Promise<string>;
  /** The text of /proc/PID/statm. */
  statm(pid: number): Promise<string>;
  /**
   * Entries of /proc/PID/pagemap for `pages` pages from the byte address `address`, a multiple of
   * 4096: bit 63 present, 62 swapped, 61 file or shared, 58 guard, 56 mapped once, 0-54 frame
   * number. At most 2^20 pages; RangeError or TypeError for an invalid range.
   */
  pagemap(pid: number, address: number, pages: number): Promise<BigUint64Array>;
  /** Statistics of the machine and of every process so far. */
  stats(): Promise<MachineReport>;
  /** The kernel log, a line each, oldest first. */
  dmesg(): Promise<string[]>;
  /** Stops all CPUs, checks every invariant of the machine, and goes on. */
  audit(): Promise<AuditReport>;
  /**
   * Stops every CPU, the kernel worker's too; resolves when none runs kernel code or reaches
   * memory. A call that has just ended is still counted in `buffer`. Other calls wait until
   * `resume`. A program that touches no memory computes on until it does.
   */
  pause(): Promise<void>;
  /** Lets the machine go on. Does nothing if it is not paused. */
  resume(): void;
  /** Kills what still runs and ends every Worker. */
  shutdown(): Promise<void>;
  /** The same, for `await using machine = await boot()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

// ---- The program's side -------------------------------------------------------------------------

/**
 * A program's main function. What it returns is the exit code: 0 to 255, or nothing for 0; anything
 * else ends the process by SIGABRT. `proc.exit` takes the low eight bits of any integer.
 */
export type Program = (proc: Proc, ...args: never[]) => Promise<number | void> | number | void;

/** Fills page `page` of a pager's object; `target` is 4 KiB of zeroes. */
export type PageReader = (page: number, target: Uint8Array) => void | Promise<void>;

/** A process, as its own program sees it. */
export interface Proc extends AsyncSyscalls, ProcessCalls {
  /** Its number, from 1. */
  readonly pid: number;
  /** The CPU that it runs on, from 1. */
  readonly cpu: number;
  /** The machine's seed. */
  readonly seed: number;
  /** Its memory. */
  readonly mem: Memory;
  /** Syscalls by trap: a mailbox in the machine; blocks the Worker until answered. */
  readonly sync: SyncSyscalls & StagedSyscalls;
  /** Syscalls run by this CPU itself, without any message. */
  readonly local: SyncSyscalls;
  /**
   * Opens a file, device or backend that the host handed to the machine, or (O_CREAT) a file in the
   * machine's memory. `flags` are those of open(2), by default O_RDONLY: a shared writable mapping
   * needs O_RDWR, a device's registers too. Names are plain strings: there are no directories.
   * Resolves to a descriptor. EACCES EEXIST EISDIR
   * EMFILE ENAMETOOLONG ENOENT ENOTDIR.
   */
  open(name: string, flags?: number): Promise<number>;
  /** A file in memory without a name, open for reading and writing. EINVAL EMFILE ENOMEM. */
  memfdCreate(name: string, flags?: number): Promise<number>;
  /**
   * Makes this process the pager of a memory object, which others open as `/pager/NAME` (or get
   * with the descriptor) and map like a file: `readPage` fills each page at its first
   * touch, in this process's Worker, between its own turns. Resolves to a descriptor.
   *
   * A faulting process sleeps meanwhile, with its whole Worker: give a pager a Worker of its own
   * (`dedicated`). If `readPage` throws or the pager ends, the faulting process gets SIGBUS. EEXIST
   * EINVAL EMFILE.
   */
  pager(name: string, sizeBytes: number, readPage: PageReader): Promise<number>;
  /** Removes a file's name; open descriptors and mappings keep the file. EISDIR ENOENT EPERM. */
  unlink(name: string): Promise<0>;
  /** Bytes; kind: 'file' (the host's), 'memory', 'user', 'arranged', 'device', 'linear'. EBADF. */
  fstat(fd: number): Promise<{ readonly size: number; readonly kind: string }>;
  /** Writes a line to the host. */
  print(line: string): void;
}
