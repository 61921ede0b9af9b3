/**
 * Protocol `rcu`: locks in the tables themselves, found without locks; the default.
 * After CortenMM's "adv" (SOSP'25) and the page-table cursor of asterinas.
 *
 * Guarantees: a cursor's holder has exclusive use of its range; faults and operations on ranges
 * under different tables share no lock and write no shared word on the way down.
 * Locking
 *  1. Descend from the root without locks while one entry covers the whole range and points to a
 *     table. While this CPU is in the kernel, the tables it passes are not freed (grace.ts).
 *  2. Lock the table reached. If it was unlinked meanwhile (stray), or if the deciding entry is a
 *     table now, unlock and start again: a stray table does not show the current state.
 *  3. For a range, lock all tables below that overlap it, in address order, parents first. All
 *     cursors lock in this pre-order of one tree, so they cannot deadlock.
 *  4. A table made under the cursor is locked before it is published. A table unlinked under the
 *     cursor is marked stray while locked. Unlock in reverse order.
 * The area set has a lock of its own, SPACE.AREA_LOCK, which faults never take.
 * Not guaranteed: progress of one fault against an endless stream of unlinking; each retry means
 * that another CPU made progress.
 */
import { load, peek, poke } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { FAULT_RETRIES_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import type { Pfn, Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { ROOT_LEVEL, nextAt, pagesAt } from '../machine/cursor.ts';
import type { Cursor } from '../machine/cursor.ts';
import { frameField } from '../machine/machine.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { entryAt } from '../paging/table.ts';
import { descends } from '../paging/covering.ts';
import type { LockingProtocol } from '../machine/locking-protocol.ts';

export const rcuProtocol: LockingProtocol = {
  name: 'rcu',
  areasLock: SPACE.AREA_LOCK,

  lockAreas(cpu: Cpu, space: SpaceBlock): void {
    lock(cpu, space + SPACE.AREA_LOCK);
  },

  unlockAreas(cpu: Cpu, space: SpaceBlock): void {
    unlock(cpu, space + SPACE.AREA_LOCK);
  },

  lockPage(cpu: Cpu, cursor: Cursor, space: SpaceBlock, vpn: Vpn): void {
    lockCovering(cpu, cursor, space, vpn, vpn + 1);
  },

  unlockPage(cpu: Cpu, cursor: Cursor): void {
    unlockHeld(cpu, cursor);
  },

  lockRange(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
    lockCovering(cpu, cursor, space, startVpn, endVpn);
    lockBelow(cpu, cursor);
  },

  unlockRange(cpu: Cpu, cursor: Cursor): void {
    unlockHeld(cpu, cursor);
  },

  adoptTable(cpu: Cpu, cursor: Cursor, table: Pfn): void {
    lock(cpu, frameField(cpu.machine, table, FRAME.AUX));
    cursor.held.push(table);
  },

  dropTable(cpu: Cpu, cursor: Cursor, table: Pfn): void {
    if (cursor.held.pop() !== table) panic('dropTable: not the last adopted', table);
    unlock(cpu, frameField(cpu.machine, table, FRAME.AUX));
  },

  markStray(cpu: Cpu, _cursor: Cursor, table: Pfn): void {
    const at = frameField(cpu.machine, table, FRAME.STATE);
    poke(cpu.words, at, peek(cpu.words, at) | FRAME.STRAY);
  },
};

/** Steps 1 and 2: locks the lowest table that covers [startVpn, endVpn). */
function lockCovering(
  cpu: Cpu,
  cursor: Cursor,
  space: SpaceBlock,
  startVpn: Vpn,
  endVpn: Vpn,
): void {
  const { machine, words } = cpu;
  cursor.space = space;
  cursor.startVpn = startVpn;
  cursor.endVpn = endVpn;
  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
    let table: Pfn = peek(words, space + SPACE.ROOT);
    let level = ROOT_LEVEL;
    while (descends(startVpn, endVpn, level)) {
      // ORDER: acquires the contents of the child, whose publication was a release.
      const entry: Pte = load(words, entryAt(machine, table, level, startVpn));
      if (!pte.isTable(entry)) break;
      table = pte.pfnOf(entry);
      level--;
    }
    lock(cpu, frameField(machine, table, FRAME.AUX));
    if (stillCovers(cpu, table, level, startVpn, endVpn)) {
      cursor.top = table;
      cursor.topLevel = level;
      cursor.held.push(table);
      return;
    }
    unlock(cpu, frameField(machine, table, FRAME.AUX));
    count(cpu, STAT.faultRetries, 1);
  }
  panic('lockCovering: livelock', space, startVpn, endVpn);
}

/** Under the lock of `table`: it is reachable, and the deciding entry is not in a lower table. */
function stillCovers(cpu: Cpu, table: Pfn, level: number, startVpn: Vpn, endVpn: Vpn): boolean {
  const { machine, words } = cpu;
  if ((peek(words, frameField(machine, table, FRAME.STATE)) & FRAME.STRAY) !== 0) return false;
  if (!descends(startVpn, endVpn, level)) return true;
  // ORDER: under the table's lock only A and D bits of a superpage can change here.
  return !pte.isTable(load(words, entryAt(machine, table, level, startVpn)));
}

/** Step 3: locks the tables below the cursor's top that overlap the range, in pre-order. */
function lockBelow(cpu: Cpu, cursor: Cursor): void {
  if (cursor.topLevel === 0) return;
  const { machine, words } = cpu;
  let at = cursor.startVpn;
  while (at < cursor.endVpn) {
    // Down the path of `at`: a table is new to us when `at` is the first page of the range in it.
    let table = cursor.top;
    let level = cursor.topLevel;
    while (level > 0) {
      // ORDER: the parent's lock is held, its table entries cannot change.
      const entry: Pte = load(words, entryAt(machine, table, level, at));
      if (!pte.isTable(entry)) break;
      table = pte.pfnOf(entry);
      level--;
      if (at === cursor.startVpn || (at & (pagesAt(level + 1) - 1)) === 0) {
        lock(cpu, frameField(machine, table, FRAME.AUX));
        cursor.held.push(table);
      }
    }
    at = nextAt(at, level === 0 ? 1 : level);
  }
}

function unlockHeld(cpu: Cpu, cursor: Cursor): void {
  for (let table = cursor.held.pop(); table !== undefined; table = cursor.held.pop()) {
    unlock(cpu, frameField(cpu.machine, table, FRAME.AUX));
  }
}
