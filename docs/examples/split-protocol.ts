/**
 * Protocol `split`: one lock for the area set, another for the page table.
 *
 * Guarantees: faults run in parallel with each other and with the part of an operation that only
 * looks at areas; they exclude its work on the page table.
 * Locking: SPACE.AREA_LOCK covers the area set. SPACE.RW_LOCK covers the page table: faults take it
 * for reading, lockRange for writing. Two faults on one page meet at the entry, by
 * compare-exchange.
 * Not guaranteed: parallelism between operations.
 */
import {
  layout,
  lock,
  openAtRoot,
  readLock,
  readUnlock,
  unlock,
  writeLock,
  writeUnlock,
} from 'faultline/kernel';
import type { Cpu, Cursor, LockingProtocol, SpaceBlock, Vpn } from 'faultline/kernel';

const splitProtocol: LockingProtocol = {
  name: 'split',
  areasLock: layout.SPACE.AREA_LOCK,

  lockAreas(cpu: Cpu, space: SpaceBlock): void {
    lock(cpu, space + layout.SPACE.AREA_LOCK);
  },

  unlockAreas(cpu: Cpu, space: SpaceBlock): void {
    unlock(cpu, space + layout.SPACE.AREA_LOCK);
  },

  lockPage(cpu: Cpu, cursor: Cursor, space: SpaceBlock, vpn: Vpn): void {
    readLock(cpu, space + layout.SPACE.RW_LOCK);
    openAtRoot(cpu, cursor, space, vpn, vpn + 1);
  },

  unlockPage(cpu: Cpu, cursor: Cursor): void {
    readUnlock(cpu, cursor.space + layout.SPACE.RW_LOCK);
  },

  lockRange(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
    writeLock(cpu, space + layout.SPACE.RW_LOCK);
    openAtRoot(cpu, cursor, space, startVpn, endVpn);
  },

  unlockRange(cpu: Cpu, cursor: Cursor): void {
    writeUnlock(cpu, cursor.space + layout.SPACE.RW_LOCK);
  },

  adoptTable(): void {},
  dropTable(): void {},
  markStray(): void {},
};

export default splitProtocol;
