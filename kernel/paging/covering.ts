/** From which table a cursor starts: the root, or the lowest table that covers a range. */
import { peek } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { Cpu } from '../machine/cpu.ts';
import { ROOT_LEVEL, indexAt, pagesAt } from '../machine/cursor.ts';
import type { Cursor } from '../machine/cursor.ts';

/** Points the cursor at the whole table of `space`: for protocols that never lock a single one. */
export function openAtRoot(
  cpu: Cpu,
  cursor: Cursor,
  space: number,
  start: number,
  end: number,
): void {
  cursor.space = space;
  cursor.top = peek(cpu.words, space + SPACE.ROOT);
  cursor.topLevel = ROOT_LEVEL;
  cursor.start = start;
  cursor.end = end;
}

/**
 * Whether to look for [start, end) below a table at `level`: one entry covers the range, and the
 * range does not fill the whole child, which its holder might want to unlink.
 */
export function descends(start: number, end: number, level: number): boolean {
  if (level === 0 || indexAt(start, level) !== indexAt(end - 1, level)) return false;
  return end - start < pagesAt(level);
}
