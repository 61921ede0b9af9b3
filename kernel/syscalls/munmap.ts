/** munmap(2). The checks and their order are Linux's (6.18, x86-64), as tested there. */
import { AddrRange } from '../../shared/addr/addr-range.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE, SPAN_PAGES, USER_SPACE_END } from '../../shared/limits.ts';
import { bytesOf, roundUpToPages, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { mappingErrno } from './mmap.ts';
import { checkSealed } from '../space/seal.ts';
import { closeRange, pruneTables } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { areasOf } from '../space/space.ts';
import type { AreaSet } from '../space/space.ts';

const SPAN_BYTES = bytesOf(SPAN_PAGES);

/** Unmaps [address, address + length), holes and all. 0 or a negative errno. */
export function sysMunmap(cpu: Cpu, proc: ProcessBlock, address: VirtAddr, length: number): number {
  if (!Number.isInteger(address) || !Number.isInteger(length)) return -E.EINVAL;
  if (address < 0 || address % PAGE_SIZE !== 0 || length <= 0) return -E.EINVAL;
  const size = roundUpToPages(length);
  if (size > USER_SPACE_END || address > USER_SPACE_END - size) return -E.EINVAL;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const outcome = unmapRange(cpu, space, areasOf(cpu, space), address, size);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

/**
 * Unmaps [address, address + size), whole pages; all of it or, with a negative errno, nothing.
 * Under the areas' lock.
 */
export function unmapRange(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  address: VirtAddr,
  size: number,
): number {
  assertAreasHeld(cpu, space);
  const refusal = checkSealed(cpu, space, areas, address, address + size);
  if (refusal !== 0) return refusal;
  const startVpn = vpnOf(lowerBound(areas, address));
  const endVpn = vpnOf(upperBound(areas, address + size));
  const op = openRange(cpu, space, startVpn, endVpn);
  const result = areas.unmap(address, size, op);
  if (result.ok) pruneTables(op, startVpn, endVpn);
  closeRange(op);
  return result.ok ? 0 : mappingErrno(result.error);
}

/**
 * The start of the 4 MiB span that `address` lies in, if nothing else is mapped there: then the
 * span's table goes with the range. Linux's free_pgtables is bounded by the neighbours likewise.
 */
export function lowerBound(areas: AreaSet, address: VirtAddr): VirtAddr {
  const low = address - (address % SPAN_BYTES);
  return low < address && areas.overlaps(new AddrRange(low, address)) ? address : low;
}

/** Likewise the end of the span that `address` lies in. */
export function upperBound(areas: AreaSet, address: VirtAddr): VirtAddr {
  const high = Math.ceil(address / SPAN_BYTES) * SPAN_BYTES;
  return address < high && areas.overlaps(new AddrRange(address, high)) ? address : high;
}
