/** Mistakes on the command line: how they are reported, and the checks that find them. */
import { PAGE_SIZE } from '../shared/limits.ts';

/** Ends the command with status 2 and the message as its one line. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** Number of single-character edits that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** `; did you mean X?` when a candidate is close enough to be a slip of the finger, else ''. */
export function suggest(word: string, candidates: readonly string[]): string {
  const closest = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const isClose = closest !== undefined && closest.distance <= Math.max(1, word.length / 3);
  return isClose ? `; did you mean ${closest.candidate}?` : '';
}

/** An integer in [min, max]. */
export function parseInteger(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name} must be an integer from ${min} to ${max}, got '${text}'`);
}

/** A positive number of seconds, as milliseconds. */
export function parseSecondsMs(name: string, text: string, maxSeconds: number): number {
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (seconds > 0 && seconds <= maxSeconds) return Math.ceil(seconds * 1000);
  throw new UsageError(`${name} must be seconds, more than 0 to ${maxSeconds}, got '${text}'`);
}

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KIB: 2 ** 10,
  K: 2 ** 10,
  MIB: 2 ** 20,
  M: 2 ** 20,
  GIB: 2 ** 30,
  G: 2 ** 30,
};

/** Bytes of a size such as 64MiB, 64M or 67108864, in [minBytes, maxBytes]. */
export function parseSizeBytes(
  name: string,
  text: string,
  minBytes: number,
  maxBytes: number,
): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  const bytes = digits === '' ? NaN : Number(digits) * (unitBytes[unit.toUpperCase()] ?? NaN);
  if (Number.isInteger(bytes) && bytes >= minBytes && bytes <= maxBytes) return bytes;
  const range = `${minBytes === 0 ? '0' : formatBytes(minBytes)} to ${formatBytes(maxBytes)}`;
  const units = 'such as 64MiB (units KiB, MiB, GiB; K, M, G)';
  throw new UsageError(`${name} must be a size from ${range}, ${units}, got '${text}'`);
}

/** The same, of whole pages. */
export function parsePagesBytes(...args: Parameters<typeof parseSizeBytes>): number {
  const [name, text] = args;
  const bytes = parseSizeBytes(...args);
  if (bytes % PAGE_SIZE === 0) return bytes;
  throw new UsageError(`${name} must be whole pages of ${formatBytes(PAGE_SIZE)}, got '${text}'`);
}

/** The largest binary unit that divides the size: 67108864 is '64MiB'. */
export function formatBytes(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const size = unitBytes[unit.toUpperCase()] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
