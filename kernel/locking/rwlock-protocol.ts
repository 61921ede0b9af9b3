/**
 * Protocol `rwlock`: one reader/writer lock per address space, like mmap_lock in Linux up to 6.3.
 *
 * Guarantees: faults run in parallel with each other and exclude operations.
 * Locking: lockAreas takes SPACE.RW_LOCK for writing, which covers the area set and the page table;
 * faults take it for reading. Two faults on one page, or on one empty slot above it, meet at the
 * entry: each installs by compare-exchange, the loser frees its candidate.
 * Not guaranteed: parallelism between operations, however far apart.
 */
import * as SPACE from '../../shared/layout/space.ts';
import type { SpaceBlock, Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Cursor } from '../machine/cursor.ts';
import { readLock, readUnlock, writeLock, writeUnlock } from '../machine/rwlock.ts';
import type { LockingProtocol } from '../machine/locking-protocol.ts';
import { openAtRoot } from '../paging/covering.ts';

export const rwlockProtocol: LockingProtocol = {
  name: 'rwlock',
  areasLock: SPACE.RW_LOCK,

  lockAreas(cpu: Cpu, space: SpaceBlock): void {
    writeLock(cpu, space + SPACE.RW_LOCK);
  },

  unlockAreas(cpu: Cpu, space: SpaceBlock): void {
    writeUnlock(cpu, space + SPACE.RW_LOCK);
  },

  lockPage(cpu: Cpu, cursor: Cursor, space: SpaceBlock, vpn: Vpn): void {
    readLock(cpu, space + SPACE.RW_LOCK);
    openAtRoot(cpu, cursor, space, vpn, vpn + 1);
  },

  unlockPage(cpu: Cpu, cursor: Cursor): void {
    readUnlock(cpu, cursor.space + SPACE.RW_LOCK);
  },

  lockRange(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
    openAtRoot(cpu, cursor, space, startVpn, endVpn);
  },

  unlockRange(): void {},
  adoptTable(): void {},
  dropTable(): void {},
  markStray(): void {},
};
