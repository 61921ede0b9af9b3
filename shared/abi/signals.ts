/** Signal numbers and si_codes of Linux x86-64 (asm/signal.h, asm-generic/siginfo.h). */
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGTERM = 15;
export const SIGCHLD = 17;

export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const BUS_ADRERR = 2;

/** The signals of this machine by name. */
export type SignalName =
  'SIGABRT' | 'SIGBUS' | 'SIGKILL' | 'SIGUSR1' | 'SIGSEGV' | 'SIGUSR2' | 'SIGTERM' | 'SIGCHLD';

export const SIGNALS: Readonly<Record<SignalName, number>> = {
  SIGABRT,
  SIGBUS,
  SIGKILL,
  SIGUSR1,
  SIGSEGV,
  SIGUSR2,
  SIGTERM,
  SIGCHLD,
};

/** Those that `kill` sends; the others have causes of their own. */
export const SENDABLE_SIGNALS: ReadonlySet<number> = new Set([
  SIGKILL,
  SIGUSR1,
  SIGUSR2,
  SIGTERM,
  SIGCHLD,
]);

export const SIGNAL_NAMES: Readonly<Record<number, SignalName>> = Object.fromEntries(
  Object.entries(SIGNALS).map(([name, number]) => [number, name as SignalName]),
);

/** The name of a signal number; `SIG<number>` for one this machine does not deliver. */
export function signalName(signal: number): string {
  return SIGNAL_NAMES[signal] ?? `SIG${signal}`;
}

/** The number of a signal's name; 0 when this machine does not deliver it. */
export function signalNumber(name: string): number {
  return Object.hasOwn(SIGNALS, name) ? SIGNALS[name as SignalName] : 0;
}

/** A signal in a set of signals: signal n is bit n - 1, as in Linux's sigset_t. */
export function signalBit(signal: number): number {
  return 1 << (signal - 1);
}
