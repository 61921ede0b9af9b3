/** The public types of signals and ends of processes. Types only, no logic. */
import type { SignalName } from '../shared/signals.ts';
import type { ExitStatus } from './api.ts';

export type { SignalName } from '../shared/signals.ts';

export interface FaultInfo {
  readonly signal: 'SIGSEGV' | 'SIGBUS';
  readonly code: 'SEGV_MAPERR' | 'SEGV_ACCERR' | 'BUS_ADRERR';
  readonly address: number;
  readonly access: 'read' | 'write';
}

/** Runs on the faulting CPU; the access is retried when it returns, and fails when it throws. */
export type FaultHandler = (info: FaultInfo) => void;

export interface SignalInfo {
  readonly signal: SignalName;
  /** Who sent it, for SIGCHLD the child; 0 for the host. */
  readonly pid: number;
}

/** What it throws comes out of the call at which it ran; between two awaits it ends the process. */
export type SignalHandler = (info: SignalInfo) => void;

/** A handler, nothing at all, or the default action. */
export type SignalAction = SignalHandler | 'ignore' | null;

export interface WaitResult {
  readonly pid: number;
  readonly status: ExitStatus;
  /** The same as wait(2) reports it: for WIFEXITED, WEXITSTATUS, WIFSIGNALED, WTERMSIG. */
  readonly waitStatus: number;
}
