/**
 * A promise that sleeps on a word of the machine: by Atomics.waitAsync, which this project's
 * language version does not declare yet, or by polling where the host lacks it.
 */
import { load } from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';
import { WAIT_SLICE_MS } from '../../../shared/limits.ts';
import { setHostTimeout } from './host-timers.ts';

interface WaitAsyncResult {
  readonly async: boolean;
  readonly value: Promise<unknown> | string;
}

type WaitAsync = (words: Words, at: number, expected: number, ms: number) => WaitAsyncResult;

const waitAsync = (Atomics as { waitAsync?: WaitAsync }).waitAsync;

/**
 * Resolves at the latest when the word no longer holds `expected`, after a notify of it, or after
 * `timeoutMs`; perhaps before. The caller looks again.
 */
export async function sleepOn(
  words: Words,
  at: number,
  expected: number,
  timeoutMs: number,
): Promise<void> {
  // ORDER: the caller has just looked; the host's own comparison decides.
  if (load(words, at) !== expected) return;
  if (waitAsync === undefined) {
    const sliceMs = Math.min(timeoutMs, WAIT_SLICE_MS);
    await new Promise((resolve) => setHostTimeout(resolve, sliceMs));
    return;
  }
  await waitAsync.call(Atomics, words, at, expected, timeoutMs).value;
}
