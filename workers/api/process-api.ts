/** The public types of processes: their starts, ends and signals. Types only, no logic. */
import type { SignalName } from '../../shared/abi/signals.ts';
import type { CloneOptions, ExecOptions, ExitStatus, SpawnOptions } from './machine-api.ts';

export type { SignalName } from '../../shared/abi/signals.ts';

/** A fault that the kernel has refused to resolve. */
export interface FaultInfo {
  /** The signal that it is. */
  readonly signal: 'SIGSEGV' | 'SIGBUS';
  /** Why: nothing is mapped, the permission is missing, or no page can be had. */
  readonly code: 'SEGV_MAPERR' | 'SEGV_ACCERR' | 'BUS_ADRERR';
  /** The byte address that was accessed. */
  readonly address: number;
  /** What was tried. */
  readonly access: 'read' | 'write';
}

/** Runs on the faulting CPU; the access is retried when it returns, and fails when it throws. */
export type FaultHandler = (info: FaultInfo) => void;

/** A signal that has arrived. */
export interface SignalInfo {
  /** Which signal. */
  readonly signal: SignalName;
  /** Pid of the sender, for SIGCHLD of the child; 0 for the host. */
  readonly pid: number;
}

/** If it throws, the call at which it ran throws too; between two awaits the process ends. */
export type SignalHandler = (info: SignalInfo) => void;

/** A handler, nothing at all, or the default action. */
export type SignalAction = SignalHandler | 'ignore' | null;

/** A child or thread that has ended. */
export interface WaitResult {
  /** Its number. */
  readonly pid: number;
  /** How it ended. */
  readonly status: ExitStatus;
  /** The same as wait(2) reports it: for WIFEXITED, WEXITSTATUS, WIFSIGNALED, WTERMSIG. */
  readonly waitStatus: number;
}

/** The calls of `proc` about processes, threads and signals. */
export interface ProcessCalls {
  /** Starts a child; resolves to its pid. */
  spawn(module: URL | string, options?: SpawnOptions): Promise<number>;
  /**
   * Starts a thread: `entry` names an exported function of this program's module, which is called
   * as `entry(proc, ...args)`, on another CPU of the pool where there is one. Resolves to its pid;
   * `wait` joins it.
   *
   * The thread shares the address space and nothing else. It is a process in every other respect:
   * a pid, a `proc` and handlers of its own, a copy of the descriptors, an instance of the module
   * of its own unless it happens to share a Worker. It ends alone, by returning, `exit`, a signal,
   * or what it throws, an unhandled MemoryFault included; the address space goes with the last
   * thread that uses it, and other threads run on when the one that made it ends. Linux differs:
   * there descriptors are shared with CLONE_FILES, a fatal signal or exit_group ends all threads,
   * and any thread of the group may wait for a child of another.
   *
   * TypeError when `entry` is no string; a name that the module does not export ends the thread
   * with SIGABRT.
   *
   * With CLONE_THREAD in `options.flags` it is a thread as on Linux: `getpid()` is its process's
   * pid, `wait` does not know it (its end clears the word `childTid`), a fatal signal, `exitGroup`
   * and the leader's return end all threads, and children are children of all. CLONE_FILES shares
   * the descriptors. CLONE_SIGHAND copies what is ignored: handlers are functions of one Worker.
   * EINVAL: flags that Linux refuses or this machine lacks; EPERM: `tls` beyond user space.
   */
  clone(entry: string, options?: CloneOptions): Promise<number>;
  /**
   * Starts a child with a copy of this process's address space, as it is at that moment, and the
   * same open descriptors: `entry` names an exported function of this program's module, called as
   * `entry(proc, ...args)`. Resolves to the child's pid. Pages are copied when one side writes.
   *
   * Linux's child goes on where its parent called fork; a JavaScript function cannot, so the child
   * has an entry of its own, and arguments (structured-clonable) for the parent's variables.
   * EAGAIN: too many processes; ENOMEM: no memory for the child's page tables.
   */
  fork(entry: string, ...args: readonly unknown[]): Promise<number>;
  /**
   * As fork, but the child uses this process's memory itself, and the promise resolves when the
   * child has called `execve` or ended.
   */
  vfork(entry: string, ...args: readonly unknown[]): Promise<number>;
  /**
   * Goes on with another program: its module's main function is called with `options.args`, in an
   * empty address space. The pid, parent, blocked and ignored signals, limits and descriptors stay;
   * those marked FD_CLOEXEC are closed, handlers removed, other threads ended. Never resolves:
   * nothing of the old program runs on. The module is loaded first: ENOENT ENOEXEC ENOMEM leave the
   * old program running.
   */
  execve(module: URL | string, options?: ExecOptions): Promise<never>;
  /** Waits for a child or thread of this process; any if no pid is given. ECHILD: there is none. */
  wait(pid?: number): Promise<WaitResult>;
  /** Ends this process, or this thread alone (CLONE_THREAD); never returns. As the raw exit(2). */
  exit(code?: number): never;
  /** Ends this process with all its threads; never returns. */
  exitGroup(code?: number): never;
  /**
   * Sends a signal, SIGKILL by default; 0 only asks whether the process is there. If it ends the
   * other process, resolves when that is gone. ESRCH; EINVAL for a signal that cannot be sent;
   * EPERM for pid 0, which is the host's.
   */
  kill(pid: number, signal?: SignalName | 0): Promise<0>;
  /**
   * Sleeps for at least that many nanoseconds, 0 to 2^53 - 1; others run meanwhile. EINTR when a
   * signal handler ran; EINVAL.
   */
  nanosleep(nanoseconds: number): Promise<0>;
  /**
   * What a signal does: a handler, 'ignore', or null for the default action. A handler runs on this
   * process's thread at its next syscall, at an access that polls, or between two awaits. Fault
   * handlers run at once; faults are never ignored. EINVAL for SIGKILL and SIGABRT.
   */
  sigaction(signal: 'SIGSEGV' | 'SIGBUS', handler: FaultHandler | 'ignore' | null): void;
  sigaction(signal: SignalName, handler: SignalAction): void;
  /** Changes the set of blocked signals; returns the old one. SIGKILL is never blocked. EINVAL. */
  sigprocmask(how: 'block' | 'unblock' | 'set', signals: readonly SignalName[]): SignalName[];
  /** Signals that are pending because they are blocked. */
  sigpending(): SignalName[];
  /** This thread's own stack, above a guard page: see CloneOptions; null without one. */
  readonly stack: { readonly address: number; readonly bytes: number } | null;
}
