/** The status word of wait(2) and its macros, as in Linux's bits/waitstatus.h. No core dumps. */

/** The word for a process that returned `code`, or was ended by `signal` if that is not 0. */
export function makeWaitStatus(code: number, signal: number): number {
  return signal !== 0 ? signal & 0x7f : (code & 0xff) << 8;
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
