/**
 * Puts addresses of a real program, which has 47 bits of them, into this machine's user space.
 *
 * Of a layout nearly all is gaps between what the kernel placed apart at random. Ranges keep their
 * sizes, gaps are shortened; a recording that is replayed meets the same neighbours, and fails
 * where it failed.
 *
 * Guarantees
 * - Order is kept. Ranges that touch or overlap do so afterwards, and others do not.
 * - A gap stays as it is, or at least `gapBytes` of it do: 4 GiB, less where that does not fit, and
 *   never less than a span of 4 MiB, which is more than the guard below a stack.
 * - An address moves by a multiple of `gapBytes`: its place in its page, huge page and span stays.
 * - What lies below 4 GiB stays there, and nothing else comes there, while `gapBytes` is 4 GiB. A
 *   layout within user space stays as it is.
 * - The same ranges, in any order, give the same relocation.
 */
import { PAGE_SIZE, SPAN_PAGES, USER_SPACE_END } from './limits.ts';
import type { VirtAddr } from './units.ts';

const GAP_MAX: number = 2 ** 32;
const GAP_MIN: number = SPAN_PAGES * PAGE_SIZE;
/** Exact numbers, and more than any user space has. */
const ADDRESS_MAX = Number.MAX_SAFE_INTEGER;

/** Addresses [start, end) that a program uses at some time, in bytes. */
export interface UsedRange {
  /** The first address. */
  readonly start: VirtAddr;
  /** The address after the last one; above `start`. */
  readonly end: VirtAddr;
}

/** Where the addresses of a layout are in this machine. */
export interface Relocation {
  /** Least length of a gap that was shortened, in bytes: a power of two from 4 MiB to 4 GiB. */
  readonly gapBytes: number;
  /** The address here; null for one that a shortened gap has lost, or beyond user space. */
  readonly place: (address: VirtAddr) => VirtAddr | null;
  /** The program's address that was put at `address`; null if there is none. */
  readonly origin: (address: VirtAddr) => VirtAddr | null;
}

/** `bytes` addresses from `from` on are at `to`. */
interface Piece {
  readonly from: VirtAddr;
  readonly to: VirtAddr;
  readonly bytes: number;
}

/**
 * Relocates a layout: all that the program maps in its whole life, for it must not move later.
 *
 * RangeError: a range without a byte or with an address that is no whole number from 0 to 2^53 - 1;
 * or the ranges together are larger than user space.
 */
export function relocate(ranges: Iterable<UsedRange>): Relocation {
  const used = united(ranges);
  const last = used[used.length - 1];
  if (last === undefined || last.end <= USER_SPACE_END) {
    return relocation(GAP_MAX, [{ from: 0, to: 0, bytes: USER_SPACE_END }]);
  }
  for (let gap = GAP_MAX; gap >= GAP_MIN; gap /= 2) {
    const pieces = piecesOf(used, gap);
    const top = pieces[pieces.length - 1] as Piece;
    if (top.to + top.bytes <= USER_SPACE_END) return relocation(gap, pieces);
  }
  const bytes = used.reduce((sum, { start, end }) => sum + end - start, 0);
  throw new RangeError(
    `relocate: the ranges, ${bytes} bytes in all, do not fit user space: ` +
      `leave out what the program reserves and does not use`,
  );
}

/** The ranges in their order; those that touch are one. */
function united(ranges: Iterable<UsedRange>): UsedRange[] {
  const sorted = [...ranges].sort((a, b) => a.start - b.start || a.end - b.end);
  const result: UsedRange[] = [];
  for (const { start, end } of sorted) {
    if (!isAddress(start) || !isAddress(end) || start >= end) {
      throw new RangeError(`relocate: [${start}, ${end}) is no range of addresses`);
    }
    const before = result[result.length - 1];
    if (before === undefined || before.end < start) result.push({ start, end });
    else if (before.end < end) result[result.length - 1] = { start: before.start, end };
  }
  return result;
}

function isAddress(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= ADDRESS_MAX;
}

/** Ranges, and what is left of the gaps: half beside each neighbour. */
function piecesOf(used: readonly UsedRange[], gap: number): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  let to = 0;
  const add = (bytes: number): void => {
    if (bytes > 0) pieces.push({ from, to, bytes });
    from += bytes;
    to += bytes;
  };
  for (const { start, end } of used) {
    const whole = start - from;
    const kept = whole < gap ? whole : gap + (whole % gap);
    const below = Math.floor(kept / 2 / PAGE_SIZE) * PAGE_SIZE;
    add(below);
    from += whole - kept;
    add(kept - below);
    add(end - start);
  }
  return pieces;
}

function relocation(gapBytes: number, pieces: readonly Piece[]): Relocation {
  return {
    gapBytes,
    place: (address) => moved(pieces, address, 'from', 'to'),
    origin: (address) => moved(pieces, address, 'to', 'from'),
  };
}

type Side = 'from' | 'to';

function moved(
  pieces: readonly Piece[],
  address: VirtAddr,
  here: Side,
  there: Side,
): VirtAddr | null {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle] as Piece)[here] <= address) low = middle + 1;
    else high = middle;
  }
  const piece = pieces[low - 1];
  if (piece === undefined || !(address < piece[here] + piece.bytes)) return null;
  return address - piece[here] + piece[there];
}
