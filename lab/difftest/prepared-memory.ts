/** What stands in memory for a call that reads it from there: arguments behind those it takes. */

/** Bytes that stand at `address` during the call, and zeros afterwards. */
export interface PreparedMemory {
  readonly address: number;
  readonly bytes: readonly number[];
}

/** Longest name of an area that is accepted. */
const NAME_BYTES = 79;

/** Names for prctl: good ones, characters that are refused, one byte too long. */
export const AREA_NAMES: readonly string[] = [
  ...['heap of mine', 'x', 'tab le', '', 'a\\b', 'a`b', 'a$b', 'a[b', 'a\tb', '\u00e4'],
  ...['n'.repeat(NAME_BYTES), 'n'.repeat(NAME_BYTES + 1)],
];

/** Arguments that the kernel gets; the others say what stands in memory. */
const TAKES: Readonly<Record<string, number>> = { setrlimit: 2, prlimit: 4, prctl: 5 };

export function takenArguments(call: string, count: number): number {
  return Math.min(count, TAKES[call] ?? count);
}

/** null: the call's memory is as it is. */
export function preparedFor(call: string, args: readonly number[]): PreparedMemory | null {
  const taken = takenArguments(call, args.length);
  if (taken === args.length) return null;
  const [first = 0, second = 0] = args.slice(taken);
  if (call === 'prctl') {
    const name = AREA_NAMES[first] ?? '';
    return { address: args[4] ?? 0, bytes: [...Buffer.from(name, 'latin1'), 0] };
  }
  const address = args[call === 'prlimit' ? 2 : 1] ?? 0;
  return { address, bytes: [...wideBytes(first), ...wideBytes(second)] };
}

/** Little-endian, 64 bits. */
export function wideBytes(value: number): number[] {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Array.from({ length: 8 }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn));
}
