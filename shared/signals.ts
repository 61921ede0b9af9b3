/** Signal numbers and si_codes of Linux x86-64 (asm/signal.h, asm-generic/siginfo.h). */
export const SIGKILL = 9;
export const SIGBUS = 7;
export const SIGSEGV = 11;
export const SIGTERM = 15;
export const SIGABRT = 6;

export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const BUS_ADRERR = 2;

export const SIGNAL_NAMES: Readonly<Record<number, string>> = {
  [SIGABRT]: 'SIGABRT',
  [SIGBUS]: 'SIGBUS',
  [SIGKILL]: 'SIGKILL',
  [SIGSEGV]: 'SIGSEGV',
  [SIGTERM]: 'SIGTERM',
};

/** The name of a signal number; `SIG<number>` for one this machine does not deliver. */
export function signalName(signal: number): string {
  return SIGNAL_NAMES[signal] ?? `SIG${signal}`;
}
