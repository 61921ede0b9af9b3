/**
 * prctl(2), for what it says about memory: names for anonymous memory (PR_SET_VMA) and where heap
 * and stack are (PR_SET_MM). Checks and their order are Linux's (6.18, kernel/sys.c, mm/madvise.c,
 * with CONFIG_ANON_VMA_NAME).
 */
import { CAP_SYS_RESOURCE } from '../../shared/abi/capabilities.ts';
import { peek } from '../../shared/atomics.ts';
import * as E from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as SPACE from '../../shared/layout/space.ts';
import {
  AREA_NAME_BYTES_MAX,
  MMAP_MIN_ADDR,
  PAGE_SIZE,
  USER_SPACE_END,
} from '../../shared/limits.ts';
import { RLIMIT_DATA } from '../../shared/abi/mman.ts';
import * as PR from '../../shared/abi/prctl.ts';
import { vpnOf } from '../../shared/units.ts';
import type { ObjectBlock, ProcessBlock, SpaceBlock, VirtAddr } from '../../shared/units.ts';
import { AREA_NAME, AREA_NAME_SHIFT, isVdsoArea } from '../machine/area-flags.ts';
import type { Area, AreaSet } from '../space/shared-area-store.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { copyFromUser } from '../mmu/user-copy.ts';
import { internName, putName } from '../objects/area-names.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import { closeRange } from '../paging/range-op.ts';
import { openRange } from '../space/open-range.ts';
import { hasCapability, softLimit } from '../space/rlimits.ts';
import { areasOf } from '../space/space.ts';
import { markRange } from '../space/split.ts';
import { WRAP, pageAligned, unsignedPage } from '../space/wrapping.ts';

/** 0, a negative errno, or -WAIT_PAGE. */
export function sysPrctl(
  cpu: Cpu,
  proc: ProcessBlock,
  option: number,
  arg2: number,
  arg3: number,
  arg4: number,
  arg5: number,
): number {
  if (![option, arg2, arg3, arg4, arg5].every(Number.isInteger)) return -E.EINVAL;
  const space: SpaceBlock = peek(cpu.words, proc + PROCESS.SPACE);
  switch (option) {
    case PR.PR_SET_VMA:
      return arg2 === PR.PR_SET_VMA_ANON_NAME ? setName(cpu, space, arg3, arg4, arg5) : -E.EINVAL;
    case PR.PR_SET_MM:
      return arg4 === 0 && arg5 === 0 ? setMark(cpu, space, arg2, arg3) : -E.EINVAL;
    default:
      return -E.EINVAL;
  }
}

/** Gives [address, address + length) the name at `from`, or takes its name away if that is 0. */
function setName(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  length: number,
  from: VirtAddr,
): number {
  let id = 0;
  if (from !== 0) {
    const text = new Uint8Array(AREA_NAME_BYTES_MAX);
    const refusal = readName(cpu, space, from, text);
    if (refusal !== 0) return refusal;
    id = internName(cpu, text);
    if (id === 0) return -E.ENOMEM;
  }
  const outcome = nameRange(cpu, space, address, length, id);
  putName(cpu, id);
  return outcome;
}

/** Reads a name as strndup_user does. 0, -EFAULT, -EINVAL or -WAIT_PAGE. */
function readName(cpu: Cpu, space: SpaceBlock, from: VirtAddr, text: Uint8Array): number {
  for (let done = 0; done < text.length;) {
    // Only as far as its end: the page behind it may not be there.
    const piece = Math.min(text.length - done, PAGE_SIZE - ((from + done) % PAGE_SIZE));
    const copied = copyFromUser(cpu, space, from + done, text.subarray(done, done + piece));
    if (copied < 0) return copied;
    const end = text.indexOf(0, done);
    if (end >= 0 && end < done + copied) {
      text.fill(0, end);
      return isNameText(text, end) ? 0 : -E.EINVAL;
    }
    if (copied < piece) return -E.EFAULT;
    done += piece;
  }
  return -E.EINVAL;
}

/** is_valid_name_char: printable, and nothing that would be mistaken for the syntax of maps. */
function isNameText(text: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const code = text[i] as number;
    if (code <= 0x1f || code >= 0x7f || '\\`$[]'.includes(String.fromCharCode(code))) return false;
  }
  return true;
}

/** madvise_set_anon_name. The caller has a reference to the name with number `id`. */
function nameRange(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  length: number,
  id: number,
): number {
  if (address % PAGE_SIZE !== 0) return -E.EINVAL;
  const startAddress = unsignedPage(address);
  const size = pageAligned(length);
  if ((length !== 0 && size === 0) || startAddress + size >= WRAP) return -E.EINVAL;
  const endAddress = startAddress + size;
  const { protocol } = cpu.machine;
  protocol.lockAreas(cpu, space);
  const areas = areasOf(cpu, space);
  let unmapped = 0;
  let outcome = 0;
  for (let at = startAddress; at < endAddress && outcome === 0;) {
    const area = areas.nextArea(at);
    if (area === null || area.start >= endAddress) {
      outcome = -E.ENOMEM;
      break;
    }
    if (area.start > at) unmapped = -E.ENOMEM;
    const from = Math.max(at, area.start);
    at = Math.min(endAddress, area.end);
    outcome = nameArea(cpu, space, areas, area, from, at, id);
  }
  protocol.unlockAreas(cpu, space);
  return outcome === 0 ? unmapped : outcome;
}

function nameArea(
  cpu: Cpu,
  space: SpaceBlock,
  areas: AreaSet,
  area: Area,
  startAddress: VirtAddr,
  endAddress: VirtAddr,
  id: number,
): number {
  assertAreasHeld(cpu, space);
  if (!isNameable(cpu, area)) return -E.EBADF;
  const flags = (area.flags & ~AREA_NAME) | (id << AREA_NAME_SHIFT);
  // What the kernel itself has mapped keeps the kernel's name.
  if (flags === area.flags || isVdsoArea(area.flags)) return 0;
  const op = openRange(cpu, space, vpnOf(startAddress), vpnOf(endAddress));
  const result = markRange(op, areas, startAddress, endAddress, flags);
  closeRange(op);
  return result.ok ? 0 : -E.EAGAIN;
}

/** Private anonymous memory, or shared anonymous memory without a file's name. */
function isNameable(cpu: Cpu, area: Area): boolean {
  const { record } = area.backend;
  if (record === ANONYMOUS) return true;
  const object: ObjectBlock = peek(cpu.words, recordAt(cpu.machine, record) + RECORD.OBJECT);
  const { words } = cpu;
  return (
    peek(words, object + OBJECT.KIND) === OBJECT.SHARED && peek(words, object + OBJECT.HOST) === 0
  );
}

/** prctl_set_mm, for the marks that a space has here. 0, -EFAULT, -EINVAL or -EPERM. */
function setMark(cpu: Cpu, space: SpaceBlock, mark: number, address: VirtAddr): number {
  if (!hasCapability(cpu, space, CAP_SYS_RESOURCE)) return -E.EPERM;
  if (address < MMAP_MIN_ADDR || address >= USER_SPACE_END) return -E.EINVAL;
  const { machine } = cpu;
  const { protocol } = machine;
  protocol.lockAreas(cpu, space);
  const outcome = checkMark(cpu, space, mark, address);
  if (outcome === 0) storeWide(machine, space + fieldOf(mark), address);
  protocol.unlockAreas(cpu, space);
  return outcome;
}

function checkMark(cpu: Cpu, space: SpaceBlock, mark: number, address: VirtAddr): number {
  assertAreasHeld(cpu, space);
  const field = fieldOf(mark);
  if (field === 0) return -E.EINVAL;
  const { machine } = cpu;
  if (field === SPACE.START_STACK) {
    return areasOf(cpu, space).nextArea(address) === null ? -E.EFAULT : 0;
  }
  const isStart = field === SPACE.START_BRK;
  const startBrk = isStart ? address : loadWide(machine, space + SPACE.START_BRK);
  const brk = isStart ? loadWide(machine, space + SPACE.BRK) : address;
  const size = brk - startBrk;
  return size < 0 || size > softLimit(cpu, space, RLIMIT_DATA) ? -E.EINVAL : 0;
}

/** Where a space keeps the mark; 0 for those that it does not have. */
function fieldOf(mark: number): number {
  switch (mark) {
    case PR.PR_SET_MM_START_STACK:
      return SPACE.START_STACK;
    case PR.PR_SET_MM_START_BRK:
      return SPACE.START_BRK;
    case PR.PR_SET_MM_BRK:
      return SPACE.BRK;
    default:
      return 0;
  }
}
