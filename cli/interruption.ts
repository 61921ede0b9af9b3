/**
 * Ctrl-C. The first one asks a command to stop its work and to report what it has; it then ends
 * with the status that shells give to SIGINT, unless something wrong was found before. A second one
 * ends it at once, as Node does by itself.
 */

/** 128 and the number of SIGINT. */
export const INTERRUPTED_STATUS = 130;

/** The sentence of every help text. */
export const INTERRUPTED_HELP: string =
  'Ctrl-C stops the work, prints the report so far and ends with status 130; a second one ends\n' +
  'the command at once.';

export interface Interruption {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Lets Ctrl-C end the command at once again. */
  readonly stop: () => void;
}

/** Watches for Ctrl-C from now on. */
export function watchInterruption(): Interruption {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    console.error('faultline: interrupted; once more ends it without a report');
    controller.abort();
  };
  process.once('SIGINT', onInterrupt);
  return { signal: controller.signal, stop: () => process.removeListener('SIGINT', onInterrupt) };
}

/** 1 after a failure, else 130 when interrupted, else 0. */
export function statusOf(
  results: readonly { readonly failures: readonly unknown[] }[],
  signal: AbortSignal,
): number {
  if (results.some(({ failures }) => failures.length > 0)) return 1;
  return signal.aborted ? INTERRUPTED_STATUS : 0;
}

/** Calls `work` with a signal that Ctrl-C aborts. Its status, or 130 for 0 if interrupted. */
export async function interruptibly(
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const { signal, stop } = watchInterruption();
  try {
    const status = await work(signal);
    return status === 0 && signal.aborted ? INTERRUPTED_STATUS : status;
  } finally {
    stop();
  }
}
