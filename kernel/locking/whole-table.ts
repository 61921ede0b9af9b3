/** Pieces for protocols that never lock a single table: the cursor starts at the root. */
import { peek } from '../../shared/atomics.ts';
import { S_ROOT } from '../../shared/layout.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { ROOT_LEVEL } from '../paging/cursor.ts';
import type { Cursor } from '../paging/cursor.ts';

/** Points the cursor at the whole table of `space`. */
export function openAtRoot(
  cpu: Cpu,
  cursor: Cursor,
  space: number,
  start: number,
  end: number,
): void {
  cursor.space = space;
  cursor.top = peek(cpu.words, space + S_ROOT);
  cursor.topLevel = ROOT_LEVEL;
  cursor.start = start;
  cursor.end = end;
}
