/** Ctrl-C during a long campaign: it ends early, and reports what it has. */

const interruptedStatus = 130;

export interface Interrupt {
  /** Aborted by the first Ctrl-C; a second one ends the command the hard way. */
  readonly signal: AbortSignal;
  stop(): void;
}

export function watchInterrupt(): Interrupt {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.once('SIGINT', interrupt);
  return { signal: abort.signal, stop: () => process.removeListener('SIGINT', interrupt) };
}

/** 1 after a failure, else 130 when interrupted, else 0. */
export function statusOf(
  results: readonly { readonly failures: readonly string[] }[],
  signal: AbortSignal,
): number {
  if (results.some(({ failures }) => failures.length > 0)) return 1;
  return signal.aborted ? interruptedStatus : 0;
}
