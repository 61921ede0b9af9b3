/**
 * Moving (a part of) an area to other addresses: what mremap does when it cannot stay.
 *
 * The new area comes first, then the pages move, then the old addresses are unmapped, as in Linux's
 * move_vma, so that areas merge and split in the same way.
 *
 * Guarantees: all or nothing. Every allocation comes before the first change that cannot be undone.
 * Locking: the areas' lock, held by the caller, and one lock over both ranges.
 */
import { peek, poke } from '../../shared/atomics.ts';
import { EINVAL, ENOMEM } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import { ANON_GUARDS } from '../../shared/layout/area.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { SPAN_PAGES, USER_PAGES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { pagesOf, vpnOf } from '../../shared/units.ts';
import type { ObjectBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_LOCK_FLAGS, AREA_SHARED } from '../machine/area-flags.ts';
import { MemoryArea } from '../areas/memory-area.ts';
import { MemorySet } from '../areas/memory-set.ts';
import { SharedAreaStore, replaceArea } from '../space/shared-area-store.ts';
import type { Area, AreaSet } from '../space/shared-area-store.ts';
import type { MachineBackend } from '../backends/backend.ts';
import { backendOf } from '../backends/registry.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { ANONYMOUS, internRecord, putRecord, recordAt } from '../objects/record.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { moveRange, prepareMove } from '../paging/move-range.ts';
import { closeRange, pruneTables } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import type { RangeOp } from '../paging/range-op.ts';
import { mappingErrno } from './mmap.ts';
import { lowerBound, upperBound } from './munmap.ts';

/** Additional areas that a move may need, by Linux's reckoning. */
const MOVE_AREAS = 3;

export interface Move {
  readonly fromAddress: VirtAddr;
  /** Bytes to move, whole pages within one area; 0 to map the same pages a second time. */
  readonly oldSize: number;
  readonly toAddress: VirtAddr;
  readonly newSize: number;
  /** MREMAP_DONTUNMAP: the old area stays, without its pages. */
  readonly keepsOld: boolean;
}

/** Moves. The target must be unmapped and not overlap the old range. 0 or an errno. */
export function moveArea(cpu: Cpu, space: SpaceBlock, areas: AreaSet, move: Move): number {
  assertAreasHeld(cpu, space);
  if (areas.len() >= peek(cpu.words, BOOT.MAP_COUNT_MAX) - MOVE_AREAS) return -ENOMEM;
  const { fromAddress, oldSize, toAddress, newSize } = move;
  const lowVpn = vpnOf(Math.min(fromAddress, toAddress));
  const highVpn = vpnOf(Math.max(fromAddress + oldSize, toAddress + newSize));
  settleLazy(cpu, space, vpnOf(toAddress), vpnOf(toAddress + newSize));
  // Whole spans, so that tables that become empty can go.
  const startVpn = lowVpn - (lowVpn % SPAN_PAGES);
  const endVpn = Math.min(USER_PAGES, Math.ceil(highVpn / SPAN_PAGES) * SPAN_PAGES);
  const op = openRange(cpu, space, startVpn, endVpn);
  const outcome = moveLocked(op, areas, move);
  closeRange(op);
  return outcome;
}

function moveLocked(op: RangeOp, areas: AreaSet, move: Move): number {
  const { cpu, space } = op;
  const { fromAddress, oldSize, toAddress, newSize } = move;
  const area = areas.find(fromAddress) ?? panic('moveArea: no area', fromAddress);
  if (!area.backend.kind.canMove) return -EINVAL;
  const store = new SharedAreaStore(cpu, space);
  const backend = store.reserveNode() ? movedBackend(cpu, area, fromAddress, toAddress) : null;
  let outcome = -ENOMEM;
  if (backend !== null) {
    if (prepareMove(op, vpnOf(fromAddress), vpnOf(toAddress), pagesOf(oldSize))) {
      const created = new MemoryArea(toAddress, newSize, area.flags, backend);
      const mapped = areas.map(created, op, false);
      outcome = mapped.ok ? 0 : mappingErrno(mapped.error);
    }
    if (outcome === 0) finishMove(op, new MemorySet(store), area, backend, move);
    putRecord(cpu, backend.record);
  }
  store.releaseReserve();
  return outcome;
}

/** The pages, and the end of the old area. Cannot fail: `areas` has a node in reserve. */
function finishMove(
  op: RangeOp,
  areas: AreaSet,
  area: Area,
  backend: MachineBackend,
  move: Move,
): void {
  const { fromAddress, oldSize, toAddress } = move;
  const pages = pagesOf(oldSize);
  const left = move.keepsOld ? area.backend.reserved(area.flags) : 0;
  // The pages of a linear object were entered when it was mapped.
  if (!area.backend.isSpecial) {
    moveRange(op, vpnOf(fromAddress), vpnOf(toAddress), pages, left, backend.record);
  }
  if (move.keepsOld) return leaveOld(op, areas, fromAddress, oldSize);
  if (oldSize === 0) return;
  const result = areas.unmap(fromAddress, oldSize, op);
  if (!result.ok) panic('moveArea: unmap', result.error.kind, result.error.cause);
  const startVpn = vpnOf(lowerBound(areas, fromAddress));
  pruneTables(op, startVpn, vpnOf(upperBound(areas, fromAddress + oldSize)));
}

/**
 * MREMAP_DONTUNMAP (dontunmap_complete in Linux): the whole old area is no longer locked, and does
 * not merge; if all of it was moved, it loses its anonymous identity.
 */
function leaveOld(op: RangeOp, areas: AreaSet, fromAddress: VirtAddr, size: number): void {
  const { cpu, space } = op;
  const area = areas.find(fromAddress) ?? panic('leaveOld: no area', fromAddress);
  const { start, end, flags, backend } = area;
  const all = start === fromAddress && end === fromAddress + size;
  const anon = all ? backend.anon & ANON_GUARDS : backend.anon;
  const kept = backendOf(cpu.machine, backend.record, anon, backend.delta);
  const old = new MemoryArea(start, end - start, flags & ~AREA_LOCK_FLAGS, kept, area.state);
  replaceArea(cpu, space, old);
  poke(cpu.words, space + SPACE.UNMERGED, 1);
}

/**
 * The backend of the area at its new place, with a reference on its record; null when memory is
 * exhausted. Private memory that has no page yet gives up its identity, so that it can merge.
 */
function movedBackend(
  cpu: Cpu,
  area: Area,
  fromAddress: VirtAddr,
  toAddress: VirtAddr,
): MachineBackend | null {
  const { record, anon, delta, hasIdentity } = area.backend;
  const shift = vpnOf(fromAddress) - vpnOf(toAddress);
  if (record === ANONYMOUS) {
    return backendOf(cpu.machine, ANONYMOUS, anon, hasIdentity ? delta + shift : 0);
  }
  const at = recordAt(cpu.machine, record);
  const object: ObjectBlock = peek(cpu.words, at + RECORD.OBJECT);
  const offset = peek(cpu.words, at + RECORD.DELTA) + shift;
  const moved = internRecord(cpu, object, offset, (area.flags & AREA_SHARED) !== 0);
  return moved === 0 ? null : backendOf(cpu.machine, moved, anon);
}
