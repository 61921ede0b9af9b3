/**
 * A cursor: a locked part of one address space's page table, and a position in it.
 *
 * A locking protocol fills it: `top` is the lowest table that it locked (or the root), and every
 * table below `top` that overlaps the range is covered by the same locks. Positions are VPNs.
 * Private to one CPU.
 */
import { TABLE_LEVELS, TABLE_SHIFT } from '../../shared/limits.ts';
import type { AreaBlock, Pfn, SpaceBlock, Vpn } from '../../shared/units.ts';

/** A place in a page table, and the locks that are held there. */
export class Cursor {
  /** Block of the address space. */
  space: SpaceBlock = 0;
  /** PFN and level of the table to descend from. */
  top: Pfn = 0;
  /** The level of the topmost table that is locked. */
  topLevel = 0;
  /** Locked range of VPNs, end exclusive. */
  startVpn: Vpn = 0;
  /** The end of the locked range. */
  endVpn: Vpn = 0;
  /** Tables whose locks this cursor holds, in locking order. For protocols that lock tables. */
  readonly held: Pfn[] = [];
  /** Area whose lock this cursor holds, 0 for none. For protocols that lock areas. */
  area: AreaBlock = 0;
  /** Set by `seek`: level of the slot found. */
  level = 0;
}

/** Pages that one entry of a table at `level` stands for: 1, 1024, 1048576. */
export function pagesAt(level: number): number {
  return 1 << (level * TABLE_SHIFT);
}

/** Index of the entry for `vpn` in a table at `level`. */
export function indexAt(vpn: Vpn, level: number): number {
  return (vpn >>> (level * TABLE_SHIFT)) & ((1 << TABLE_SHIFT) - 1);
}

/** First VPN after the entry that holds `vpn` at `level`. */
export function nextAt(vpn: Vpn, level: number): Vpn {
  const pages = pagesAt(level);
  return vpn - (vpn & (pages - 1)) + pages;
}

/** The level of a root table; leaf tables have level 0. */
export const ROOT_LEVEL: number = TABLE_LEVELS - 1;
