/**
 * Protocol `global`: one lock for each address space.
 *
 * Guarantees: faults and operations on one space exclude each other completely.
 * Locking: SPACE.AREA_LOCK covers the area set and the whole page table. An operation takes it in
 * lockAreas and keeps it; lockRange finds it held.
 * Not guaranteed: any parallelism within a space. This is the protocol to compare others with.
 */
import * as SPACE from '../../shared/layout/space.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Cursor } from '../machine/cursor.ts';
import type { SpaceBlock, Vpn } from '../../shared/units.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import type { LockingProtocol } from '../machine/locking-protocol.ts';
import { openAtRoot } from '../paging/covering.ts';

export const globalProtocol: LockingProtocol = {
  name: 'global',
  areasLock: SPACE.AREA_LOCK,

  lockAreas(cpu: Cpu, space: SpaceBlock): void {
    lock(cpu, space + SPACE.AREA_LOCK);
  },

  unlockAreas(cpu: Cpu, space: SpaceBlock): void {
    unlock(cpu, space + SPACE.AREA_LOCK);
  },

  lockPage(cpu: Cpu, cursor: Cursor, space: SpaceBlock, vpn: Vpn): void {
    lock(cpu, space + SPACE.AREA_LOCK);
    openAtRoot(cpu, cursor, space, vpn, vpn + 1);
  },

  unlockPage(cpu: Cpu, cursor: Cursor): void {
    unlock(cpu, cursor.space + SPACE.AREA_LOCK);
  },

  lockRange(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
    openAtRoot(cpu, cursor, space, startVpn, endVpn);
  },

  unlockRange(): void {},
  adoptTable(): void {},
  dropTable(): void {},
  markStray(): void {},
};
