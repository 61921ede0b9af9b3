/**
 * How a fault locks its page and how an operation locks its range: the part of the kernel that is
 * meant to be replaced. One protocol per file; a user's protocol implements the same interface.
 *
 * What holds under every protocol
 * - Between lockPage and unlockPage no other CPU changes the meaning of the entry for that page;
 *   between lockRange and unlockRange, of any entry in the range.
 * - `cursor.top` and `cursor.topLevel` name a table from which `seek` may descend, and all tables
 *   below it that overlap the locked range are covered by the same locks.
 * - The area set is read and changed between lockAreas and unlockAreas only.
 * - Locks are taken in the order of lock-order.ts (docs/locking.md). A CPU that holds a page or
 *   range never takes the areas' lock.
 * - All methods run in kernel mode. None throws, except by panic.
 */
import type { Pfn, SpaceBlock, Vpn } from '../../shared/units.ts';
import type { Cpu } from './cpu.ts';
import type { Cursor } from './cursor.ts';

/** How page tables are locked: docs/write-a-protocol.md makes one, step by step. */
export interface LockingProtocol {
  /** Shown in reports. */
  readonly name: string;
  /**
   * Field of a space's block that lockAreas takes: lets the kernel assert in a checked machine that
   * the areas' lock is held. Left out by a protocol that locks the areas in another way.
   */
  readonly areasLock?: number;
  /** Locks the area set of a space, for reading and writing it. */
  lockAreas(cpu: Cpu, space: SpaceBlock): void;
  /** Ends what lockAreas began. */
  unlockAreas(cpu: Cpu, space: SpaceBlock): void;
  /** Locks the lowest existing table that decides about `vpn`. */
  lockPage(cpu: Cpu, cursor: Cursor, space: SpaceBlock, vpn: Vpn): void;
  /** Ends what lockPage began. */
  unlockPage(cpu: Cpu, cursor: Cursor): void;
  /**
   * Locks every table that decides about [startVpn, endVpn), the areas' lock being held. A table
   * that lies wholly inside the range may be unlinked under this lock.
   */
  lockRange(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void;
  /** Ends what lockRange began. */
  unlockRange(cpu: Cpu, cursor: Cursor): void;
  /** A new table is about to be published under the cursor: bring it under the cursor's locks. */
  adoptTable(cpu: Cpu, cursor: Cursor, table: Pfn): void;
  /** The table just adopted was not published after all. */
  dropTable(cpu: Cpu, cursor: Cursor, table: Pfn): void;
  /** A table under the cursor was unlinked: no CPU may work on it any more. */
  markStray(cpu: Cpu, cursor: Cursor, table: Pfn): void;
}
