/** wait(2)'s options and status word, as in Linux's bits/wait*.h. No core dumps. */
import { signalNumber } from './signals.ts';

/** Do not wait: answer 0 while no child has ended. */
export const WNOHANG = 1;
/** Children that were stopped too: there are none here. */
export const WUNTRACED = 2;
/** Children that were continued too: there are none here. */
export const WCONTINUED = 8;
/** Children of each kind, with SIGCHLD or without: what wait finds here anyway. */
export const __WALL = 0x4000_0000;

/** The word for a process that returned `code`, or was ended by `signal` if that is not 0. */
function makeWaitStatus(code: number, signal: number): number {
  return signal !== 0 ? signal & 0x7f : (code & 0xff) << 8;
}

/** The word for an end that is known by its code or its signal's name. */
export function waitStatusOf(status: {
  readonly code?: number | undefined;
  readonly signal?: string | undefined;
}): number {
  if (status.signal === undefined) return makeWaitStatus(status.code ?? 0, 0);
  return makeWaitStatus(0, signalNumber(status.signal));
}

/** Whether the process returned or called exit. */
export function WIFEXITED(status: number): boolean {
  return (status & 0x7f) === 0;
}

/** The exit code, 0 to 255, of a process that has exited. */
export function WEXITSTATUS(status: number): number {
  return (status >> 8) & 0xff;
}

/** Whether a signal ended the process. */
export function WIFSIGNALED(status: number): boolean {
  return (status & 0x7f) !== 0;
}

/** The number of the signal that ended a process. */
export function WTERMSIG(status: number): number {
  return status & 0x7f;
}
