/**
 * A broken invariant of the machine. Never used for a caller's mistake: those are errno results.
 *
 * The message starts with `where: what`, as in `mapRange: remap`, followed by the values that
 * show the machine's state, so that a report of it can be read without a debugger.
 */
export class KernelPanic extends Error {
  /** The name of the class. */
  override readonly name = 'KernelPanic';
}

/** Stops the calling CPU loudly. `values` are printed after `where`, numbers in hexadecimal. */
export function panic(where: string, ...values: readonly unknown[]): never {
  throw new KernelPanic([where, ...values.map(show)].join(' '));
}

/** Panics unless `condition` holds. The message names the invariant, not the test. */
export function assert(condition: boolean, where: string, value?: unknown): asserts condition {
  if (!condition) panic(where, ...(value === undefined ? [] : [value]));
}

function show(value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value) && value > 9) {
    return `0x${value.toString(16)}`;
  }
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
}
