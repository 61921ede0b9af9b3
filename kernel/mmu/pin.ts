/**
 * Pinned pages: the holder uses the frames of a range of user memory directly, without translation,
 * until it unpins them, as Linux's pin_user_pages lets a device do.
 *
 * Guarantees: as long as its range stays mapped, the holder sees what the process stores there, and
 * the process what the holder stores. A page of private memory is the space's own when it is
 * pinned, and stays so: fork copies it for the child at once, and it is not reclaimed. When the
 * range is unmapped, truncated or dropped, or its process ends, the frame stays the holder's alone
 * until it is unpinned.
 * Locking: the protocol's page lock, one page at a time. A pin belongs to its process's CPU.
 * Not guaranteed: that the pages are pinned in one step, or memory for the copies.
 */
import { add, load, peek, poke } from '../../shared/atomics.ts';
import { CAP_IPC_LOCK } from '../../shared/abi/capabilities.ts';
import * as E from '../../shared/abi/errno.ts';
import * as PIN from '../../shared/layout/pin.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE, PIN_PAGES_MAX } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import { bytesOf, vpnOf } from '../../shared/units.ts';
import type {
  Pfn,
  PinBlock,
  ProcessBlock,
  Pte,
  SpaceBlock,
  VirtAddr,
  WordIndex,
} from '../../shared/units.ts';
import { handleForcedFault } from '../faults/forced-fault.ts';
import { pinFrame, unpinFrame } from '../frames/pin-count.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import type { Cpu } from '../machine/cpu.ts';
import { pagesAt } from '../machine/cursor.ts';
import { FAULT_ACCERR, FAULT_DONE, FAULT_WAIT } from '../machine/fault-codes.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { isPageCache, markDirty } from '../objects/pages.ts';
import { seek } from '../paging/table.ts';
import { hasCapability, lockLimitPages } from '../space/rlimits.ts';
import { faultInKernel } from './miss.ts';
import { isOwnPage } from './forced-copy.ts';
import { isUserRange } from './user-copy.ts';
import { markEntry } from './walk.ts';

/**
 * Pins `pages` pages of a process from `address` on, for reading or for writing too. The pin's
 * block; or -EINVAL, -EFAULT where a page refuses the access, -ENOMEM beyond RLIMIT_MEMLOCK or
 * without memory (`cpu.lacksFrame`), -WAIT_PAGE.
 */
export function pinPages(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  pages: number,
  write: boolean,
): PinBlock {
  cpu.lacksFrame = false;
  if (!Number.isInteger(address) || address % PAGE_SIZE !== 0) return -E.EINVAL;
  if (!Number.isInteger(pages) || pages < 1 || pages > PIN_PAGES_MAX) return -E.EINVAL;
  if (!isUserRange(address, bytesOf(pages))) return -E.EFAULT;
  const { words } = cpu;
  const space: SpaceBlock = peek(words, proc + PROCESS.SPACE);
  if (!charge(cpu, space, pages)) return -E.ENOMEM;
  const pin = slabAlloc(cpu, SLAB.PIN);
  if (pin === 0) {
    discharge(cpu, space, pages);
    return -E.ENOMEM;
  }
  poke(words, pin + PIN.WRITES, write ? 1 : 0);
  for (let i = 0; i < pages; i++) {
    const pfn = pinPage(cpu, space, address + bytesOf(i), write);
    if (pfn < 0) {
      release(cpu, pin);
      discharge(cpu, space, pages);
      return pfn;
    }
    poke(words, pin + PIN.FRAMES + i, pfn);
    poke(words, pin + PIN.PAGES, i + 1);
  }
  own(cpu, proc, pin);
  return pin;
}

/** Gives the pages back. On the CPU of the process `proc`, which has pinned them. */
export function unpinPages(cpu: Cpu, proc: ProcessBlock, pin: PinBlock): void {
  const { words } = cpu;
  if (peek(words, pin + PIN.OWNER) !== proc) panic('unpinPages: whose', pin, proc);
  const next = peek(words, pin + PIN.NEXT);
  const previous = peek(words, pin + PIN.PREVIOUS);
  poke(words, previous === 0 ? proc + PROCESS.PINS : previous + PIN.NEXT, next);
  if (next !== 0) poke(words, next + PIN.PREVIOUS, previous);
  discharge(cpu, peek(words, proc + PROCESS.SPACE), peek(words, pin + PIN.PAGES));
  release(cpu, pin);
}

/** Ends all pins of a process that ends, or goes on with another program. */
export function dropPins(cpu: Cpu, proc: ProcessBlock): void {
  for (;;) {
    const pin: PinBlock = peek(cpu.words, proc + PROCESS.PINS);
    if (pin === 0) return;
    unpinPages(cpu, proc, pin);
  }
}

function own(cpu: Cpu, proc: ProcessBlock, pin: PinBlock): void {
  const { words } = cpu;
  const first = peek(words, proc + PROCESS.PINS);
  poke(words, pin + PIN.OWNER, proc);
  poke(words, pin + PIN.NEXT, first);
  if (first !== 0) poke(words, first + PIN.PREVIOUS, pin);
  poke(words, proc + PROCESS.PINS, pin);
}

/** Unpins the frames of a pin and frees its block. */
function release(cpu: Cpu, pin: PinBlock): void {
  const { machine, words } = cpu;
  const writes = peek(words, pin + PIN.WRITES) !== 0;
  const pages = peek(words, pin + PIN.PAGES);
  for (let i = 0; i < pages; i++) {
    const pfn: Pfn = peek(words, pin + PIN.FRAMES + i);
    // The holder's stores have set no D, and write-back may have cleared what pinning set.
    if (writes && isPageCache(machine, pfn)) markDirty(cpu, pfn);
    unpinFrame(cpu, pfn);
  }
  slabFree(cpu, SLAB.PIN, pin);
}

/** Linux: account_locked_vm and its kin, against RLIMIT_MEMLOCK. */
function charge(cpu: Cpu, space: SpaceBlock, pages: number): boolean {
  // ORDER: a counter; a thread that exceeds the limit takes its pages off again.
  const before = add(cpu.words, space + SPACE.PINNED_PAGES, pages);
  if (before + pages <= lockLimitPages(cpu, space)) return true;
  if (hasCapability(cpu, space, CAP_IPC_LOCK)) return true;
  discharge(cpu, space, pages);
  return false;
}

function discharge(cpu: Cpu, space: SpaceBlock, pages: number): void {
  // ORDER: a counter.
  add(cpu.words, space + SPACE.PINNED_PAGES, -pages);
}

/** The page's frame, pinned; or -EFAULT, -ENOMEM, -WAIT_PAGE. */
function pinPage(cpu: Cpu, space: SpaceBlock, address: VirtAddr, write: boolean): number {
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  const cursor = cpu.faultCursor;
  const vpn = vpnOf(address);
  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
    protocol.lockPage(cpu, cursor, space, vpn);
    const at = seek(cpu, cursor, vpn);
    // ORDER: acquires the frame's contents, as the walk of an MMU does.
    const entry: Pte = load(cpu.words, at);
    if (isPinnable(cpu, at, entry, write)) {
      const pfn = pte.frameOfPage(entry, vpn & (pagesAt(cursor.level) - 1));
      const pinned = pinFrame(cpu, pfn);
      protocol.unlockPage(cpu, cursor);
      return pinned ? pfn : -E.ENOMEM;
    }
    protocol.unlockPage(cpu, cursor);
    const outcome = makePinnable(cpu, space, address, entry, write);
    if (outcome === FAULT_WAIT) return -WAIT_PAGE;
    if (outcome !== FAULT_DONE) return cpu.lacksFrame ? -E.ENOMEM : -E.EFAULT;
  }
  return panic('pinPage: livelock', space, address);
}

/**
 * Under the page's lock: whether the entry allows the access and, of private memory, maps a page
 * that nobody else has. With COW a fault on another CPU might be about to copy it, so that the
 * process would go on with another frame than the holder.
 */
function isPinnable(cpu: Cpu, at: WordIndex, entry: Pte, write: boolean): boolean {
  if (write) return markEntry(cpu, at, entry, true) !== 0;
  if (!pte.isPresent(entry) || (entry & pte.PTE_R) === 0) return false;
  return (entry & pte.PTE_SHARED) !== 0 || isOwnPage(cpu, entry);
}

/** One step towards it. A FAULT_* code. */
function makePinnable(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  entry: Pte,
  write: boolean,
): number {
  const vpn = vpnOf(address);
  const mayRead = pte.isPresent(entry) && (entry & pte.PTE_R) !== 0;
  if (write || !mayRead) return faultInKernel(cpu, space, vpn, write);
  // It can be read, but others have it too (Linux: FAULT_FLAG_UNSHARE).
  const outcome = faultInKernel(cpu, space, vpn, true);
  return outcome === FAULT_ACCERR ? handleForcedFault(cpu, space, vpn, true) : outcome;
}
