/**
 * Copies between kernel and user memory that force their way: what /proc/PID/mem does. Reading
 * needs a mapping and nothing more; a write to a private page that may not be written changes a
 * copy of the space's own. See faults/forced-fault.ts.
 *
 *     look, under the page's lock → usable? copy : unlock, fault, look again
 *
 * Guarantees: each look judges the entry that it finds, and trusts nothing that an earlier fault of
 * the same access has done: between the two the page may have been dropped, and the next look would
 * find the page cache's frame. (Linux before 4.9 remembered the fault: CVE-2016-5195.)
 * Locking: as user-copy.ts: the protocol's page lock, one page at a time.
 */
import { compareExchange, load, readBytes, writeBytes } from '../../shared/atomics.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pte, SpaceBlock, VirtAddr, WordIndex } from '../../shared/units.ts';
import { handleForcedFault } from '../faults/forced-fault.ts';
import { frameRefs } from '../frames/frames.ts';
import type { Cpu } from '../machine/cpu.ts';
import { FAULT_ACCERR, FAULT_DONE, FAULT_WAIT } from '../machine/fault-codes.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { seek } from '../paging/table.ts';
import { faultInKernel } from './miss.ts';
import { MUST_WAIT, REFUSED, userByte } from './user-copy.ts';
import { markEntry } from './walk.ts';

const WRITTEN: number = pte.PTE_A | pte.PTE_D;

/**
 * Copies `source` to the memory of `space` at `address`, which together lie in one page. The bytes
 * copied: all or 0; or -WAIT_PAGE (wait-codes.ts).
 */
export function forceToUser(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  source: Uint8Array,
): number {
  const entryWord = lockForcedPage(cpu, space, address, true);
  if (entryWord < 0) return entryWord === MUST_WAIT ? -WAIT_PAGE : 0;
  writeBytes(cpu.words, userByte(cpu, entryWord, address), source);
  cpu.machine.protocol.unlockPage(cpu, cpu.faultCursor);
  return source.length;
}

/** Fills `target` from the memory of `space` at `address`, within one page. As above. */
export function forceFromUser(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  target: Uint8Array,
): number {
  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
    const entryWord = lockForcedPage(cpu, space, address, false);
    if (entryWord < 0) return entryWord === MUST_WAIT ? -WAIT_PAGE : 0;
    const at = userByte(cpu, entryWord, address);
    readBytes(cpu.words, at, target);
    // As in user-copy.ts: a parallel fault may have replaced the frame.
    const isSame = userByte(cpu, entryWord, address) === at;
    cpu.machine.protocol.unlockPage(cpu, cpu.faultCursor);
    if (isSame) return target.length;
  }
  return panic('forceFromUser: livelock', space, address);
}

/**
 * The word of a present entry whose frame the access may use, with the page's lock held in the
 * CPU's fault cursor; or REFUSED or MUST_WAIT without it.
 */
function lockForcedPage(cpu: Cpu, space: SpaceBlock, address: VirtAddr, write: boolean): WordIndex {
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  const cursor = cpu.faultCursor;
  const vpn = vpnOf(address);
  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
    protocol.lockPage(cpu, cursor, space, vpn);
    const at = seek(cpu, cursor, vpn);
    // ORDER: acquires the frame's contents, as the walk of an MMU does.
    const entry: Pte = load(cpu.words, at);
    if (write ? mayChange(cpu, at, entry) : pte.isPresent(entry)) return at;
    protocol.unlockPage(cpu, cursor);
    let outcome = faultInKernel(cpu, space, vpn, write);
    if (outcome === FAULT_ACCERR) outcome = handleForcedFault(cpu, space, vpn, write);
    if (outcome === FAULT_WAIT) return MUST_WAIT;
    if (outcome !== FAULT_DONE) return REFUSED;
  }
  return panic('lockForcedPage: livelock', space, address, vpn % PAGE_SIZE);
}

/** Whether the entry's frame may be written: by its process too, or because nobody else has it. */
function mayChange(cpu: Cpu, at: WordIndex, entry: Pte): boolean {
  if (markEntry(cpu, at, entry, true) !== 0) return true;
  return isOwnPage(cpu, entry) && setWritten(cpu, at, entry);
}

/** Whether a present entry maps a private page that no other space, slot or object has. */
export function isOwnPage(cpu: Cpu, entry: Pte): boolean {
  if (!pte.isPresent(entry) || pte.isZeroPage(entry)) return false;
  const isPrivate = (entry & (pte.PTE_SHARED | pte.PTE_COW)) === 0;
  return isPrivate && frameRefs(cpu.machine, pte.pfnOf(entry)) === 1;
}

/** Its contents must not be dropped as clean. False when the entry has changed. */
function setWritten(cpu: Cpu, at: WordIndex, entry: Pte): boolean {
  // ORDER: on the entry that was judged.
  return compareExchange(cpu.words, at, entry, entry | WRITTEN) === entry;
}
