/**
 * The fault of a forced access (Linux: FOLL_FORCE): the kernel reads or writes memory of a process
 * whatever the process itself may do with it, as a debugger must.
 *
 * Guarantees: a forced write never changes a page that others see. A private page becomes the
 * space's own copy first, with the permission that its area has; shared memory that may not be
 * written is refused. Guards, devices and holes are refused.
 * Locking: the areas' lock and the range's, unlike other faults: they could run in parallel with
 * this one on the same page, and an entry without COW would not tell them that its frame changes.
 * The caller looks at the entry again: in between, everything may have changed.
 */
import { add, load } from '../../shared/atomics.ts';
import * as SPACE from '../../shared/layout/space.ts';
import * as pte from '../../shared/pte.ts';
import type { Pte, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import { addsPage, groupIsFull, groupOf } from '../frames/memory-group.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Cursor } from '../machine/cursor.ts';
import {
  FAULT_ACCERR,
  FAULT_BUS,
  FAULT_DONE,
  FAULT_MAPERR,
  FAULT_NO_MEMORY,
} from '../machine/fault-codes.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { closeRange } from '../paging/range-op.ts';
import { peekEntry, pushDown, seek } from '../paging/table.ts';
import { prepareAnon } from '../space/anon-identity.ts';
import { openRange } from '../space/open-range.ts';
import { breakCow } from './cow.ts';
import { enterZeroPage, enterZeroed } from './fault.ts';
import { resolveObject } from './object-fault.ts';
import { resolveSwap } from './swap-in.ts';

/**
 * Resolves an access to page `vpn` that its area does not allow (FAULT_ACCERR of handleFault); with
 * `write`, a private page is the space's own afterwards. Kernel mode. A FAULT_* code, as
 * handleFault: FAULT_WAIT leaves object and page in the scratch.
 */
export function handleForcedFault(cpu: Cpu, space: SpaceBlock, vpn: Vpn, write: boolean): number {
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  const group = groupOf(cpu, space);
  if (groupIsFull(cpu, group) && addsPage(peekEntry(cpu, space, vpn), write)) {
    cpu.lacksFrame = true;
    return FAULT_NO_MEMORY;
  }
  protocol.lockAreas(cpu, space);
  const op = openRange(cpu, space, vpn, vpn + 1);
  const outcome = resolve(cpu, op.cursor, vpn, write);
  // An area that may not be written is not searched for pages of its own (Linux: anon_vma_prepare).
  if (outcome === FAULT_DONE && write) prepareAnon(cpu, space, vpn);
  closeRange(op);
  protocol.unlockAreas(cpu, space);
  if (outcome === FAULT_DONE) {
    count(cpu, STAT.faultsMinor, 1);
    // ORDER: a counter.
    add(cpu.words, space + SPACE.FAULTS_MINOR, 1);
  }
  return outcome;
}

/** Under the range's lock. */
function resolve(cpu: Cpu, cursor: Cursor, vpn: Vpn, write: boolean): number {
  const { words } = cpu;
  let at = seek(cpu, cursor, vpn);
  // ORDER: under the range's lock; only A and D may change behind our back.
  let entry: Pte = load(words, at);
  while (cursor.level > 0 && isSpan(entry, write)) {
    if (!pushDown(cpu, cursor, at, cursor.level)) return FAULT_NO_MEMORY;
    at = seek(cpu, cursor, vpn);
    // ORDER: as above.
    entry = load(words, at);
  }
  if (entry === 0 || pte.isGuard(entry)) return FAULT_MAPERR;
  if (write && (entry & pte.PTE_SHARED) !== 0) return FAULT_ACCERR;
  if (!pte.isPresent(entry)) return resolveReserved(cpu, cursor, at, entry, vpn, write);
  // What allows writing is not ours to break.
  if (!write || (pte.logicalRwx(entry) & pte.PTE_W) !== 0) return FAULT_DONE;
  if (pte.isZeroPage(entry)) return enterZeroed(cpu, cursor.space, vpn, at, entry, 0);
  return breakCow(cpu, cursor.space, at, entry, vpn);
}

function resolveReserved(
  cpu: Cpu,
  cursor: Cursor,
  at: WordIndex,
  entry: Pte,
  vpn: Vpn,
  write: boolean,
): number {
  switch (pte.reservedKind(entry)) {
    case pte.RESERVED_LAZY:
      return write
        ? enterZeroed(cpu, cursor.space, vpn, at, entry, 0)
        : enterZeroPage(cpu, at, entry);
    case pte.RESERVED_SWAP:
      return resolveSwap(cpu, cursor.space, at, entry);
    case pte.RESERVED_OBJECT:
      return resolveObject(cpu, cursor.space, at, entry, vpn, write);
    default:
      // A device's registers are not memory.
      return FAULT_BUS;
  }
}

/** Whether an entry above the lowest level must become a table before a page of it is resolved. */
function isSpan(entry: Pte, write: boolean): boolean {
  if (pte.isZeroPage(entry)) return write;
  return pte.isReserved(entry) && pte.reservedKind(entry) < pte.RESERVED_DEVICE;
}
