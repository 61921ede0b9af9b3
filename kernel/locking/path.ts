/**
 * Protocol `path`: reader/writer locks in the tables, taken hand over hand from the root.
 * After CortenMM's "rw" (SOSP'25).
 *
 * Guarantees: a cursor's holder has exclusive use of its range. Faults and operations on ranges
 * under different tables run in parallel, but every one of them writes the root's lock word.
 * Locking
 *  1. From the root: lock the table for reading. If one entry covers the whole range and leads to a
 *     table, keep the lock and go on there. Otherwise drop this read lock and stop.
 *  2. Lock the table reached for writing. Everything below it is locked by that.
 *  3. Unlock the writer, then the readers from below upward.
 * A table cannot vanish under a reader of its parent, because unlinking it takes the parent (or one
 * above) for writing; so step 2 needs no check afterwards. A table that appears between the two
 * locks is below the writer's and makes no difference.
 * The area set has a lock of its own, SPACE.AREA_LOCK, which faults never take.
 * Not guaranteed: parallelism in a young space. Until its tables exist, faults lock high ones.
 */
import { load, peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SPACE from '../../shared/layout/space.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { readLock, readUnlock, writeLock, writeUnlock } from '../machine/rwlock.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { frameField } from '../machine/machine.ts';
import { ROOT_LEVEL } from '../machine/cursor.ts';
import type { Cursor } from '../machine/cursor.ts';
import { entryAt } from '../paging/table.ts';
import { descends } from '../paging/covering.ts';
import type { LockingProtocol } from '../machine/locking-protocol.ts';

export const pathProtocol: LockingProtocol = {
  name: 'path',
  areasLock: SPACE.AREA_LOCK,

  lockAreas(cpu: Cpu, space: SpaceBlock): void {
    lock(cpu, space + SPACE.AREA_LOCK);
  },

  unlockAreas(cpu: Cpu, space: SpaceBlock): void {
    unlock(cpu, space + SPACE.AREA_LOCK);
  },

  lockPage(cpu: Cpu, cursor: Cursor, space: SpaceBlock, vpn: Vpn): void {
    lockPath(cpu, cursor, space, vpn, vpn + 1);
  },

  unlockPage(cpu: Cpu, cursor: Cursor): void {
    unlockPath(cpu, cursor);
  },

  lockRange(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
    lockPath(cpu, cursor, space, startVpn, endVpn);
  },

  unlockRange(cpu: Cpu, cursor: Cursor): void {
    unlockPath(cpu, cursor);
  },

  adoptTable(): void {},
  dropTable(): void {},
  markStray(): void {},
};

function lockPath(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
  const { machine, words } = cpu;
  cursor.space = space;
  cursor.startVpn = startVpn;
  cursor.endVpn = endVpn;
  let table: Pfn = peek(words, space + SPACE.ROOT);
  let level = ROOT_LEVEL;
  while (descends(startVpn, endVpn, level)) {
    readLock(cpu, frameField(machine, table, FRAME.AUX));
    // ORDER: under the table's read lock a table entry stays one.
    const entry: Pte = load(words, entryAt(machine, table, level, startVpn));
    if (!pte.isTable(entry)) {
      readUnlock(cpu, frameField(machine, table, FRAME.AUX));
      break;
    }
    cursor.held.push(table);
    table = pte.pfnOf(entry);
    level--;
  }
  writeLock(cpu, frameField(machine, table, FRAME.AUX));
  cursor.top = table;
  cursor.topLevel = level;
}

function unlockPath(cpu: Cpu, cursor: Cursor): void {
  const { machine } = cpu;
  writeUnlock(cpu, frameField(machine, cursor.top, FRAME.AUX));
  for (let table = cursor.held.pop(); table !== undefined; table = cursor.held.pop()) {
    readUnlock(cpu, frameField(machine, table, FRAME.AUX));
  }
}
