/** From which table a cursor starts: the root, or the lowest table that covers a range. */
import { peek } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import type { SpaceBlock, Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { ROOT_LEVEL, indexAt, pagesAt } from '../machine/cursor.ts';
import type { Cursor } from '../machine/cursor.ts';

/**
 * Points the cursor at the whole table of `space`: for protocols that never lock a single table.
 */
export function openAtRoot(
  cpu: Cpu,
  cursor: Cursor,
  space: SpaceBlock,
  startVpn: Vpn,
  endVpn: Vpn,
): void {
  cursor.space = space;
  cursor.top = peek(cpu.words, space + SPACE.ROOT);
  cursor.topLevel = ROOT_LEVEL;
  cursor.startVpn = startVpn;
  cursor.endVpn = endVpn;
}

/**
 * Whether to look for [startVpn, endVpn) below a table at `level`: one entry covers the range, and
 * the range does not fill the whole child, which its holder might want to unlink.
 */
export function descends(startVpn: Vpn, endVpn: Vpn, level: number): boolean {
  if (level === 0 || indexAt(startVpn, level) !== indexAt(endVpn - 1, level)) return false;
  return endVpn - startVpn < pagesAt(level);
}
