/** Sizes as callers write them. */
const units: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes of 4096, '64MiB', '1GiB'; undefined when it is not a size. */
export function parseSize(size: number | string): number | undefined {
  if (typeof size === 'number') return Number.isSafeInteger(size) && size > 0 ? size : undefined;
  const match = /^(\d+)(KiB|MiB|GiB)?$/.exec(size);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (units[match[2] ?? ''] ?? NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
