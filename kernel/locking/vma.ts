/**
 * Protocol `vma`: a lock for each area, as in Linux from 6.4 on.
 *
 * Guarantees: a fault shares no lock with faults on other areas, and runs beside operations that do
 * not touch its area. An operation excludes faults on the areas that it touches, and all other
 * operations.
 * Locking
 *  - An operation takes SPACE.RW_LOCK for writing (Linux: mmap_lock). lockRange locks each area
 *    that overlaps or touches its range: it waits for the area's readers and then sets AREA.SEQ to
 *    SPACE.AREA_SEQ. Areas that it writes are born locked the same way. Advancing SPACE.AREA_SEQ at
 *    the end unlocks them all at once.
 *  - A fault searches the area index without a lock, counts itself into AREA.LOCK, and only then
 *    checks: the node is in use, for this space, for this page, and not locked for writing.
 *  - When anything is amiss it takes SPACE.RW_LOCK for reading instead (counted as lockFallbacks).
 *  - Faults on one page of one area meet at the entry, by compare-exchange.
 * Why the search is safe: SPACE.INDEX_SEQ is compared after each node read, before its links are
 * followed, so a torn tree is never walked; frames of area nodes are freed after a grace period,
 * and AREA.LOCK survives a node's reuse, so counting in and out of a stale node does no harm.
 * Not guaranteed: that faults bypass operations on a space that is changing fast; they fall back.
 */
import { add, load, store } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { addressOf } from '../../shared/units.ts';
import type { AreaBlock, SpaceBlock, Vpn } from '../../shared/units.ts';
import { treeEndingAfter, treeNext } from '../areas/area-tree.ts';
import { SharedAreaIndex } from '../space/shared-area-index.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { readLock, readUnlock, tryReadLock, writeLock, writeUnlock } from '../machine/rwlock.ts';
import type { Cursor } from '../machine/cursor.ts';
import type { LockingProtocol } from '../machine/locking-protocol.ts';
import { openAtRoot } from '../paging/covering.ts';

/** Nodes on a search path before it is given up: far more than a balanced tree has. */
const SEARCH_DEPTH_MAX = 128;

export const vmaProtocol: LockingProtocol = {
  name: 'vma',
  areasLock: SPACE.RW_LOCK,

  lockAreas(cpu: Cpu, space: SpaceBlock): void {
    writeLock(cpu, space + SPACE.RW_LOCK);
  },

  unlockAreas(cpu: Cpu, space: SpaceBlock): void {
    // ORDER: unlocks every area locked under this number, after all that was done to it.
    add(cpu.words, space + SPACE.AREA_SEQ, 1);
    writeUnlock(cpu, space + SPACE.RW_LOCK);
  },

  lockPage(cpu: Cpu, cursor: Cursor, space: SpaceBlock, vpn: Vpn): void {
    cursor.area = lockArea(cpu, space, vpn);
    if (cursor.area === 0) {
      count(cpu, STAT.lockFallbacks, 1);
      readLock(cpu, space + SPACE.RW_LOCK);
    }
    openAtRoot(cpu, cursor, space, vpn, vpn + 1);
  },

  unlockPage(cpu: Cpu, cursor: Cursor): void {
    const at = cursor.area === 0 ? cursor.space + SPACE.RW_LOCK : cursor.area + AREA.LOCK;
    cursor.area = 0;
    readUnlock(cpu, at);
  },

  lockRange(cpu: Cpu, cursor: Cursor, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
    // Neighbours that touch the range may merge with what is made in it.
    const areas = new SharedAreaIndex(cpu, space);
    let node = treeEndingAfter(areas, Math.max(0, addressOf(startVpn) - 1));
    while (node !== 0 && areas.start(node) <= addressOf(endVpn)) {
      lockAreaForWriting(cpu, space, node);
      node = treeNext(areas, node);
    }
    openAtRoot(cpu, cursor, space, startVpn, endVpn);
  },

  unlockRange(): void {},
  adoptTable(): void {},
  dropTable(): void {},
  markStray(): void {},
};

/** The area of `vpn`, locked for reading; 0 when the fault must take the slow way. */
function lockArea(cpu: Cpu, space: SpaceBlock, vpn: Vpn): AreaBlock {
  const { words } = cpu;
  const area = findArea(cpu, space, vpn);
  if (area === 0 || !tryReadLock(cpu, area + AREA.LOCK)) return 0;
  // ORDER: after we are counted in. A writer that came first has set AREA.SEQ; one that comes later
  // waits for us.
  const stable =
    load(words, area + AREA.LIVE) !== 0 &&
    load(words, area + AREA.SPACE) === space &&
    load(words, area + AREA.SEQ) !== load(words, space + SPACE.AREA_SEQ) &&
    load(words, area + AREA.START) <= vpn &&
    load(words, area + AREA.END) > vpn;
  if (stable) return area;
  readUnlock(cpu, area + AREA.LOCK);
  return 0;
}

/** Searches the index without a lock: the node of `vpn`, or 0 when there is none or it changes. */
function findArea(cpu: Cpu, space: SpaceBlock, vpn: Vpn): AreaBlock {
  const { words } = cpu;
  // ORDER: an even number before; compared after every node, before its links are followed.
  const sequence = load(words, space + SPACE.INDEX_SEQ);
  if ((sequence & 1) !== 0) return 0;
  let node: AreaBlock = load(words, space + SPACE.AREA_ROOT);
  for (let depth = 0; depth < SEARCH_DEPTH_MAX && node !== 0; depth++) {
    if (load(words, space + SPACE.INDEX_SEQ) !== sequence) return 0;
    const startVpn = load(words, node + AREA.START);
    const endVpn = load(words, node + AREA.END);
    const next = load(words, node + (vpn < startVpn ? AREA.LEFT : AREA.RIGHT));
    // ORDER: the fields read belong together only if nothing changed meanwhile.
    if (load(words, space + SPACE.INDEX_SEQ) !== sequence) return 0;
    if (startVpn <= vpn && vpn < endVpn) return node;
    node = next;
  }
  return 0;
}

/** Waits for the area's readers and keeps new ones out until SPACE.AREA_SEQ advances. */
function lockAreaForWriting(cpu: Cpu, space: SpaceBlock, area: AreaBlock): void {
  const { words } = cpu;
  writeLock(cpu, area + AREA.LOCK);
  // ORDER: visible to every reader that is counted in after the lock is released.
  store(words, area + AREA.SEQ, load(words, space + SPACE.AREA_SEQ));
  writeUnlock(cpu, area + AREA.LOCK);
}
