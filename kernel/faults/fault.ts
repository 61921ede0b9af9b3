/**
 * The page fault: from "the MMU found no translation" to a present entry, or a refusal.
 *
 * Path, in one direction:
 *   handleFault   prepares a zeroed frame outside the locks if it will probably be needed, locks
 *                 the page by the protocol, resolves, unlocks
 *   resolve       splits a reserved span until the page has its own entry; refuses what the area
 *                 does not allow; then by the kind of entry
 *   enterZeroed     first write of anonymous memory: enters the zeroed frame
 *   enterZeroPage   first read: enters the zero page, frame 0, which all spaces share
 *   resolveObject   shared object, file or user pages (object-fault.ts)
 *   resolveSwap     a page that was swapped out (swap-in.ts)
 *   breakCow        a write to a frame that others hold (cow.ts)
 *
 * Guarantees: two CPUs that fault on one page end with one frame; the loser frees its candidate;
 * an entry never allows more than the area's permission, which the reserved entry carries.
 * Locking: the protocol's page lock. Everything is checked again under it.
 * Not guaranteed: that the access succeeds next time. The MMU walks again, and may fault again.
 */
import { add, compareExchange, load } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SPACE from '../../shared/layout/space.ts';
import * as pte from '../../shared/pte.ts';
import type { GroupBlock, Pfn, Pte, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import { breakCow } from './cow.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel, assertNoLockHeld } from '../machine/held-locks.ts';
import type { Cursor } from '../machine/cursor.ts';
import {
  FAULT_ACCERR,
  FAULT_DEVICE,
  FAULT_DONE,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
  FAULT_SPURIOUS,
} from '../machine/fault-codes.ts';
import { allocFrame, freeFrame } from '../frames/frames.ts';
import { zeroFrame } from '../machine/machine.ts';
import { resolveObject, toObject } from './object-fault.ts';
import { shootDown } from '../paging/shootdown.ts';
import { resolveSwap } from './swap-in.ts';
import { peekEntry, pushDown, seek } from '../paging/table.ts';
import { addResident, addsPage, groupIsFull, groupOf } from '../frames/memory-group.ts';
import { growDown } from '../space/grow.ts';

/**
 * Resolves a fault of `space` at page `vpn`. Kernel mode. Returns a FAULT_* code; FAULT_WAIT and
 * FAULT_DEVICE leave the object and page in the CPU's scratch, with a reference for the caller.
 * `major`: the fault has waited for its page and counts as a major fault.
 */
export function handleFault(
  cpu: Cpu,
  space: SpaceBlock,
  vpn: Vpn,
  write: boolean,
  major = false,
): number {
  assertInKernel(cpu);
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  const cursor = cpu.faultCursor;
  const group = groupOf(cpu, space);
  if (group !== 0 && exceedsGroup(cpu, group, peekEntry(cpu, space, vpn), write)) {
    cpu.lacksFrame = true;
    return FAULT_NO_MEMORY;
  }
  const candidate = write ? prepareCandidate(cpu, space, vpn) : 0;
  protocol.lockPage(cpu, cursor, space, vpn);
  const outcome = resolve(cpu, cursor, vpn, write, candidate);
  protocol.unlockPage(cpu, cursor);
  if (candidate !== 0 && outcome !== FAULT_DONE) freeFrame(cpu, candidate);
  if (outcome === FAULT_MAPERR && mayGrow(cpu, space, vpn)) return FAULT_DONE;
  if (outcome === FAULT_DONE) {
    count(cpu, major ? STAT.faultsMajor : STAT.faultsMinor, 1);
    // ORDER: a counter.
    add(cpu.words, space + (major ? SPACE.FAULTS_MAJOR : SPACE.FAULTS_MINOR), 1);
  }
  return outcome === FAULT_SPURIOUS ? FAULT_DONE : outcome;
}

/** Whether a full group refuses the page. CPUs that check at once may exceed it by a page each. */
function exceedsGroup(cpu: Cpu, group: GroupBlock, entry: Pte, write: boolean): boolean {
  return groupIsFull(cpu, group) && allows(entry, write) && addsPage(entry, write);
}

/** Whether the access is just below an area that grows down, and the area has now grown. */
function mayGrow(cpu: Cpu, space: SpaceBlock, vpn: Vpn): boolean {
  // ORDER: acquires nothing; a fault that reads 0 came before the first such area.
  if (load(cpu.words, space + SPACE.GROWS) === 0) return false;
  // Under a guard there is an area already; trying again would find the guard again.
  return !pte.isGuard(peekEntry(cpu, space, vpn)) && growDown(cpu, space, vpn);
}

/** A zeroed frame for a write, so that no lock is held while it is zeroed; 0 if none is needed. */
function prepareCandidate(cpu: Cpu, space: SpaceBlock, vpn: Vpn): Pfn {
  const entry = peekEntry(cpu, space, vpn);
  const isLazy = pte.isReserved(entry) && pte.reservedKind(entry) === pte.RESERVED_LAZY;
  if (!isLazy && !pte.isZeroPage(entry)) return 0;
  return allows(entry, true) ? zeroedFrame(cpu) : 0;
}

function zeroedFrame(cpu: Cpu): Pfn {
  const pfn = allocFrame(cpu, FRAME.USED);
  if (pfn !== 0) {
    zeroFrame(cpu.machine, pfn);
    count(cpu, STAT.framesZeroed, 1);
  }
  return pfn;
}

function allows(entry: Pte, write: boolean): boolean {
  return (pte.logicalRwx(entry) & (write ? pte.PTE_W : pte.PTE_R)) !== 0;
}

/** Under the page's lock. FAULT_DONE means that `candidate`, if there is one, was used or freed. */
function resolve(cpu: Cpu, cursor: Cursor, vpn: Vpn, write: boolean, candidate: Pfn): number {
  const { words } = cpu;
  let at = seek(cpu, cursor, vpn);
  // ORDER: under the page's lock; only A and D may change behind our back.
  let entry: Pte = load(words, at);
  while (cursor.level > 0 && decidesForSpan(entry, write)) {
    // A table: a parallel fault on the span has pushed it down since `seek` looked.
    if (!pte.isTable(entry) && !pushDown(cpu, cursor, at, cursor.level)) return FAULT_NO_MEMORY;
    at = seek(cpu, cursor, vpn);
    // ORDER: as above.
    entry = load(words, at);
  }
  if (entry === 0) return FAULT_MAPERR;
  if (!allows(entry, write)) return FAULT_ACCERR;
  if (pte.isPresent(entry)) {
    if (!write || (entry & pte.PTE_W) !== 0) return FAULT_SPURIOUS;
    if (pte.isZeroPage(entry)) return enterZeroed(cpu, cursor.space, vpn, at, entry, candidate);
    const outcome = breakCow(cpu, cursor.space, at, entry, vpn);
    if (outcome === FAULT_DONE && candidate !== 0) freeFrame(cpu, candidate);
    return outcome;
  }
  switch (pte.reservedKind(entry)) {
    case pte.RESERVED_LAZY:
      return write
        ? enterZeroed(cpu, cursor.space, vpn, at, entry, candidate)
        : enterZeroPage(cpu, at, entry);
    case pte.RESERVED_SWAP: {
      const outcome = resolveSwap(cpu, cursor.space, at, entry);
      if (outcome === FAULT_DONE && candidate !== 0) freeFrame(cpu, candidate);
      return outcome;
    }
    case pte.RESERVED_DEVICE:
      toObject(cpu, entry, vpn);
      return FAULT_DEVICE;
    case pte.RESERVED_GUARD:
      return FAULT_MAPERR;
    default: {
      const outcome = resolveObject(cpu, cursor.space, at, entry, vpn, write);
      if (outcome === FAULT_DONE && candidate !== 0) freeFrame(cpu, candidate);
      return outcome;
    }
  }
}

/** Whether an entry above the lowest level must become a table before a page of it is resolved. */
function decidesForSpan(entry: Pte, write: boolean): boolean {
  if (pte.isTable(entry)) return true;
  if (!allows(entry, write)) return false;
  if (pte.isZeroPage(entry)) return write;
  // Devices and guards answer for a whole span as they do for a page.
  return pte.isReserved(entry) && pte.reservedKind(entry) < pte.RESERVED_DEVICE;
}

/** A page of its own in place of a reserved entry or of the zero page. */
export function enterZeroed(
  cpu: Cpu,
  space: SpaceBlock,
  vpn: Vpn,
  at: WordIndex,
  entry: Pte,
  candidate: Pfn,
): number {
  const pfn = candidate !== 0 ? candidate : zeroedFrame(cpu);
  if (pfn === 0) return FAULT_NO_MEMORY;
  const leaf = pte.makeLeaf(pfn, pte.logicalRwx(entry) | pte.PTE_A | pte.PTE_D);
  // ORDER: publishes the zeroed frame. Under a protocol with parallel faults another may have won.
  if (compareExchange(cpu.words, at, entry, leaf) === entry) {
    addResident(cpu, space, 1);
    // CPUs that have the zero page in their TLBs must see what is written from now on.
    if (pte.isPresent(entry) && (entry & pte.PTE_A) !== 0) shootDown(cpu, space, vpn, 1);
  } else {
    count(cpu, STAT.raceLosses, 1);
    freeFrame(cpu, pfn);
  }
  return FAULT_DONE;
}

/** Linux's rule (do_anonymous_page): reads share one zero page, until the first write. */
export function enterZeroPage(cpu: Cpu, at: WordIndex, entry: Pte): number {
  const bits = pte.copyOnWriteBits(entry & pte.PTE_RWX) | pte.PTE_A;
  // ORDER: the zero page never changes. If another fault came first, its entry stays.
  compareExchange(cpu.words, at, entry, pte.makeLeaf(0, bits));
  return FAULT_DONE;
}
