/**
 * The page fault: from "the MMU found no translation" to a present entry, or a refusal.
 *
 * Path, in one direction:
 *   handleFault   prepares a zeroed frame outside the locks if it will probably be needed, locks
 *                 the page by the protocol, resolves, unlocks
 *   resolve       splits a reserved span until the page has its own entry; refuses what the area
 *                 does not allow; then by the kind of entry
 *   resolveLazy     anonymous memory: enters the zeroed frame
 *   resolveObject   shared object, file or user pages (object-fault.ts)
 *   breakCow        a write to a frame that others hold (cow.ts)
 *
 * Guarantees: two CPUs that fault on one page end with one frame, the loser frees its candidate;
 * nothing is entered that the area's permission, as the entry carries it, does not allow.
 * Locking: the protocol's page lock. Everything is checked again under it.
 * Not guaranteed: that the access succeeds next time. The MMU walks again, and may fault again.
 */
import { add, compareExchange, load } from '../../shared/atomics.ts';
import * as L from '../../shared/layout.ts';
import * as pte from '../../shared/pte.ts';
import { breakCow } from './cow.ts';
import { STAT, count } from '../cpu/cpu.ts';
import type { Cpu } from '../cpu/cpu.ts';
import type { Cursor } from '../paging/cursor.ts';
import {
  FAULT_ACCERR,
  FAULT_DEVICE,
  FAULT_DONE,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
  FAULT_SPURIOUS,
} from './fault-codes.ts';
import { allocFrame, freeFrame } from '../frames/frames.ts';
import { zeroFrame } from '../machine.ts';
import { resolveObject, toObject } from './object-fault.ts';
import { addResident } from '../paging/range-op.ts';
import { peekEntry, pushDown, seek } from '../paging/table.ts';

/**
 * Resolves a fault of `space` at page `vpn`. Kernel mode. Returns a FAULT_* code; FAULT_WAIT and
 * FAULT_DEVICE leave the object and page in the CPU's scratch, with a reference for the caller.
 * `major` says that the fault has waited for its page, and is counted as such.
 */
export function handleFault(
  cpu: Cpu,
  space: number,
  vpn: number,
  write: boolean,
  major = false,
): number {
  const { protocol } = cpu.machine;
  const cursor = cpu.faultCursor;
  const candidate = prepareCandidate(cpu, space, vpn, write);
  protocol.lockPage(cpu, cursor, space, vpn);
  const outcome = resolve(cpu, cursor, vpn, write, candidate);
  protocol.unlockPage(cpu, cursor);
  if (candidate !== 0 && outcome !== FAULT_DONE) freeFrame(cpu, candidate);
  if (outcome === FAULT_DONE) {
    count(cpu, major ? STAT.faultsMajor : STAT.faultsMinor, 1);
    // ORDER: a counter.
    add(cpu.words, space + (major ? L.S_FAULTS_MAJOR : L.S_FAULTS_MINOR), 1);
  }
  return outcome === FAULT_SPURIOUS ? FAULT_DONE : outcome;
}

/** A zeroed frame for anonymous memory, so that no lock is held while it is zeroed; 0 if none. */
function prepareCandidate(cpu: Cpu, space: number, vpn: number, write: boolean): number {
  const entry = peekEntry(cpu, space, vpn);
  if (!pte.isReserved(entry) || pte.reservedKind(entry) !== pte.RESERVED_LAZY) return 0;
  if (!allows(entry, write)) return 0;
  return zeroedFrame(cpu);
}

function zeroedFrame(cpu: Cpu): number {
  const pfn = allocFrame(cpu, L.FRAME_USED);
  if (pfn !== 0) {
    zeroFrame(cpu.machine, pfn);
    count(cpu, STAT.framesZeroed, 1);
  }
  return pfn;
}

function allows(entry: number, write: boolean): boolean {
  return (pte.logicalRwx(entry) & (write ? pte.PTE_W : pte.PTE_R)) !== 0;
}

/** Under the page's lock. FAULT_DONE means that `candidate`, if there is one, was used or freed. */
function resolve(cpu: Cpu, cursor: Cursor, vpn: number, write: boolean, candidate: number): number {
  const { words } = cpu;
  let at = seek(cpu, cursor, vpn);
  // ORDER: under the page's lock; only A and D may change behind our back.
  let entry = load(words, at);
  while (cursor.level > 0 && (pte.isTable(entry) || pte.isReserved(entry))) {
    // A table: another fault on the span pushed it down since `seek` looked, as it may where faults
    // run in parallel.
    if (!pte.isTable(entry)) {
      if (!allows(entry, write) || pte.reservedKind(entry) === pte.RESERVED_DEVICE) break;
      if (!pushDown(cpu, cursor, at, cursor.level)) return FAULT_NO_MEMORY;
    }
    at = seek(cpu, cursor, vpn);
    // ORDER: as above.
    entry = load(words, at);
  }
  if (entry === 0) return FAULT_MAPERR;
  if (!allows(entry, write)) return FAULT_ACCERR;
  if (pte.isPresent(entry)) {
    if (!write || (entry & pte.PTE_W) !== 0) return FAULT_SPURIOUS;
    const outcome = breakCow(cpu, cursor.space, at, entry, vpn);
    if (outcome === FAULT_DONE && candidate !== 0) freeFrame(cpu, candidate);
    return outcome;
  }
  switch (pte.reservedKind(entry)) {
    case pte.RESERVED_LAZY:
      return resolveLazy(cpu, cursor.space, at, entry, write, candidate);
    case pte.RESERVED_DEVICE:
      toObject(cpu, entry, vpn);
      return FAULT_DEVICE;
    default: {
      const outcome = resolveObject(cpu, cursor.space, at, entry, vpn, write);
      if (outcome === FAULT_DONE && candidate !== 0) freeFrame(cpu, candidate);
      return outcome;
    }
  }
}

function resolveLazy(
  cpu: Cpu,
  space: number,
  at: number,
  entry: number,
  write: boolean,
  candidate: number,
): number {
  const pfn = candidate !== 0 ? candidate : zeroedFrame(cpu);
  if (pfn === 0) return FAULT_NO_MEMORY;
  const marks = write ? pte.PTE_A | pte.PTE_D : pte.PTE_A;
  const leaf = pte.makeLeaf(pfn, (entry & pte.PTE_RWX) | marks);
  // ORDER: publishes the zeroed frame. Under a protocol with parallel faults another may have won.
  if (compareExchange(cpu.words, at, entry, leaf) === entry) {
    addResident(cpu, space, 1);
  } else {
    count(cpu, STAT.raceLosses, 1);
    freeFrame(cpu, pfn);
  }
  return FAULT_DONE;
}
