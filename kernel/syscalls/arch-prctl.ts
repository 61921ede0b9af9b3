/**
 * arch_prctl(2): the thread's fs base, and (ARCH_MAP_VDSO_64) the areas that Linux maps into every
 * process, by name and in the same order. Here those are zero pages; nobody calls into them.
 */
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { USER_SPACE_END, VDSO_PAGES, VVAR_PAGES, VVAR_VCLOCK_PAGES } from '../../shared/limits.ts';
import { PROT_EXEC, PROT_READ } from '../../shared/abi/mman.ts';
import { ARCH_GET_FS, ARCH_MAP_VDSO_64, ARCH_SET_FS } from '../../shared/abi/prctl.ts';
import { bytesOf, vpnOf } from '../../shared/units.ts';
import type { ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import * as F from '../machine/area-flags.ts';
import { MemoryArea } from '../areas/memory-area.ts';
import { backendOf } from '../backends/registry.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { copyToUser } from '../mmu/user-copy.ts';
import { ANONYMOUS } from '../objects/record.ts';
import { settleLazy } from '../paging/flush-lazy.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { place } from '../space/placement.ts';
import { areasOf } from '../space/space.ts';
import type { AreaSet } from '../space/space.ts';
import { unmapRange } from './munmap.ts';

/** What the program cannot write, as it has no descriptor for it. */
const VVAR_FLAGS: number = PROT_READ | F.AREA_NO_WRITE | F.AREA_DONTDUMP;

/** 0, or the bytes of [vdso]; -EEXIST when it is mapped, -EFAULT, -EINVAL, -ENOMEM, -EPERM. */
export function sysArchPrctl(
  cpu: Cpu,
  proc: ProcessBlock,
  code: number,
  address: VirtAddr,
): number {
  if (!Number.isInteger(address)) return -E.EINVAL;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  if (code === ARCH_SET_FS) return setFsBase(cpu, proc, address);
  if (code === ARCH_GET_FS) return tellFsBase(cpu, proc, space, address);
  if (code !== ARCH_MAP_VDSO_64) return -E.EINVAL;
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  const outcome = hasVdso(areas) ? -E.EEXIST : mapVdso(cpu, space, areas, address);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

/** As Linux: an address beyond user space is -EPERM. */
function setFsBase(cpu: Cpu, proc: ProcessBlock, address: VirtAddr): number {
  if (address < 0 || address >= USER_SPACE_END) return -E.EPERM;
  storeWide(cpu.machine, proc + PROCESS.FS_BASE, address);
  return 0;
}

function tellFsBase(cpu: Cpu, proc: ProcessBlock, space: SpaceBlock, address: VirtAddr): number {
  const base = loadWide(cpu.machine, proc + PROCESS.FS_BASE);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(base), true);
  const copied = copyToUser(cpu, space, address, bytes);
  if (copied === -WAIT_PAGE) return copied;
  return copied === bytes.length ? 0 : -E.EFAULT;
}

function hasVdso(areas: AreaSet): boolean {
  let area = areas.nextArea(0);
  while (area !== null) {
    if (F.isVdsoArea(area.flags)) return true;
    area = area.end < USER_SPACE_END ? areas.nextArea(area.end) : null;
  }
  return false;
}

function mapVdso(cpu: Cpu, space: SpaceBlock, areas: AreaSet, address: VirtAddr): number {
  assertAreasHeld(cpu, space);
  const size = bytesOf(VVAR_PAGES + VVAR_VCLOCK_PAGES + VDSO_PAGES);
  const startAddress = place(areas, address, size, 0);
  if (startAddress < 0) return startAddress;
  const clocks = startAddress + bytesOf(VVAR_PAGES);
  const code = clocks + bytesOf(VVAR_VCLOCK_PAGES);
  const isMapped =
    mapPart(cpu, space, areas, startAddress, VVAR_PAGES, F.AREA_VVAR | VVAR_FLAGS) &&
    mapPart(cpu, space, areas, clocks, VVAR_VCLOCK_PAGES, F.AREA_VVAR_VCLOCK | VVAR_FLAGS) &&
    mapPart(cpu, space, areas, code, VDSO_PAGES, F.AREA_VDSO | PROT_READ | PROT_EXEC);
  if (isMapped) return bytesOf(VDSO_PAGES);
  unmapRange(cpu, space, areas, startAddress, size);
  return -E.ENOMEM;
}

function mapPart(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  startAddress: VirtAddr,
  pages: number,
  flags: number,
): boolean {
  assertAreasHeld(cpu, space);
  const startVpn = vpnOf(startAddress);
  const backend = backendOf(cpu.machine, ANONYMOUS);
  const area = new MemoryArea(startAddress, bytesOf(pages), flags, backend);
  settleLazy(cpu, space, startVpn, startVpn + pages);
  const op = openRange(cpu, space, startVpn, startVpn + pages);
  const result = areas.map(area, op, false);
  closeRange(op);
  return result.ok;
}
