/** Waiting that can be given up. */
import { shown } from './check-options.ts';

export interface Limits {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}

/** The longest timer of the hosts, about 25 days. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/**
 * Settles as `promise` does, or earlier: rejects with the reason of `signal` when that aborts, and
 * with a DOMException 'TimeoutError' that says `tooLong` after `timeout` milliseconds. What
 * `promise` stands for goes on.
 */
export async function until<Value>(
  promise: Promise<Value>,
  { signal, timeout }: Limits,
  tooLong: string,
): Promise<Value> {
  signal?.throwIfAborted();
  if (signal === undefined && timeout === undefined) return promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort = (): void => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (timeout === undefined) return;
    const expire = (): void =>
      reject(new DOMException(`${tooLong} after ${timeout} ms`, 'TimeoutError'));
    timer = setTimeout(expire, timeout);
  });
  try {
    return await Promise.race([promise, givenUp]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Throws RangeError unless `timeout` is a number of milliseconds that a timer can count. */
export function checkTimeout(call: string, timeout: unknown): void {
  if (timeout === undefined) return;
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= TIMEOUT_MAX_MS) return;
  const range = `a number of milliseconds from 0 to ${TIMEOUT_MAX_MS}`;
  throw new RangeError(`${call}: timeout must be ${range}, got ${shown(timeout)}`);
}
