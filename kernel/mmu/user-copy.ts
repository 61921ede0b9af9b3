/**
 * Kernel code's access to user memory: copies that fault like the program's own accesses.
 *
 * Guarantees: each page is resolved, and refused, as for a load or store of the program at that
 * moment; the bytes of a page are copied under the page's lock, so that no flush can come between
 * translation and copy, and A and D are set as the MMU would.
 * Locking: the protocol's page lock, one page at a time. The caller holds neither the areas' lock
 * nor a range or page.
 * Not guaranteed: that the copy is one step. Other CPUs may see and change it page by page.
 */
import { load, readBytes, writeBytes } from '../../shared/atomics.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import * as pte from '../../shared/pte.ts';
import { vpnOf } from '../../shared/units.ts';
import type { Pte, SpaceBlock, VirtAddr, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertNoLockHeld } from '../machine/held-locks.ts';
import { FAULT_DONE, FAULT_WAIT } from '../machine/fault-codes.ts';
import { frameWord } from '../machine/machine.ts';
import { pagesAt } from '../machine/cursor.ts';
import { seek } from '../paging/table.ts';
import { WAIT_PAGE } from '../machine/wait-codes.ts';
import { faultInKernel } from './miss.ts';
import { markEntry } from './walk.ts';

/** Outcomes of one page. */
export const REFUSED = -1;
export const MUST_WAIT = -2;

/** Whether [address, address + length) lies in user space (Linux: access_ok). */
export function isUserRange(address: VirtAddr, length: number): boolean {
  if (!Number.isInteger(address) || !Number.isInteger(length)) return false;
  return address >= 0 && length >= 0 && address + length <= USER_SPACE_END;
}

/**
 * Copies `source` to user memory at `address`. Returns the bytes copied, fewer than all where a
 * page refuses a write or memory is exhausted, or -WAIT_PAGE (wait-codes.ts).
 */
export function copyToUser(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  source: Uint8Array,
): number {
  if (!isUserRange(address, source.length)) return 0;
  let done = 0;
  while (done < source.length) {
    const at = address + done;
    const piece = Math.min(source.length - done, PAGE_SIZE - (at % PAGE_SIZE));
    const outcome = writePage(cpu, space, at, source.subarray(done, done + piece));
    if (outcome === MUST_WAIT) return -WAIT_PAGE;
    if (outcome === REFUSED) break;
    done += piece;
  }
  return done;
}

/** Fills `target` from user memory at `address`. The bytes copied, or -WAIT_PAGE, as above. */
export function copyFromUser(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  target: Uint8Array,
): number {
  if (!isUserRange(address, target.length)) return 0;
  let done = 0;
  while (done < target.length) {
    const at = address + done;
    const piece = Math.min(target.length - done, PAGE_SIZE - (at % PAGE_SIZE));
    const outcome = readPage(cpu, space, at, target.subarray(done, done + piece));
    if (outcome === MUST_WAIT) return -WAIT_PAGE;
    if (outcome === REFUSED) break;
    done += piece;
  }
  return done;
}

function writePage(cpu: Cpu, space: SpaceBlock, address: VirtAddr, source: Uint8Array): number {
  const entryWord = lockUserPage(cpu, space, address, true);
  if (entryWord < 0) return entryWord;
  // A writable entry changes only under the range's lock.
  writeBytes(cpu.words, userByte(cpu, entryWord, address), source);
  cpu.machine.protocol.unlockPage(cpu, cpu.faultCursor);
  return 0;
}

function readPage(cpu: Cpu, space: SpaceBlock, address: VirtAddr, target: Uint8Array): number {
  for (;;) {
    const entryWord = lockUserPage(cpu, space, address, false);
    if (entryWord < 0) return entryWord;
    const at = userByte(cpu, entryWord, address);
    readBytes(cpu.words, at, target);
    // With parallel faults another CPU may have replaced a COW frame by a copy; these bytes would
    // then be those of the frame's next owner.
    const isSame = userByte(cpu, entryWord, address) === at;
    cpu.machine.protocol.unlockPage(cpu, cpu.faultCursor);
    if (isSame) return 0;
  }
}

/**
 * The word of the present entry that allows the access, marked accessed, with the page's lock held
 * in the CPU's fault cursor; or REFUSED or MUST_WAIT without it.
 */
export function lockUserPage(
  cpu: Cpu,
  space: SpaceBlock,
  address: VirtAddr,
  write: boolean,
): WordIndex {
  assertNoLockHeld(cpu);
  const { protocol } = cpu.machine;
  const cursor = cpu.faultCursor;
  const vpn = vpnOf(address);
  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
    protocol.lockPage(cpu, cursor, space, vpn);
    const at = seek(cpu, cursor, vpn);
    // ORDER: acquires the frame's contents, as the walk of an MMU does.
    if (markEntry(cpu, at, load(cpu.words, at), write) !== 0) return at;
    protocol.unlockPage(cpu, cursor);
    const outcome = faultInKernel(cpu, space, vpn, write);
    if (outcome === FAULT_WAIT) return MUST_WAIT;
    if (outcome !== FAULT_DONE) return REFUSED;
  }
  return panic('lockUserPage: livelock', space, address);
}

/** The byte offset in the machine of `address`, by the present entry at `entryWord`. */
export function userByte(cpu: Cpu, entryWord: WordIndex, address: VirtAddr): number {
  // ORDER: as in lockUserPage.
  const entry: Pte = load(cpu.words, entryWord);
  const vpn = vpnOf(address);
  const within = vpn & (pagesAt(cpu.faultCursor.level) - 1);
  return frameWord(cpu.machine, pte.frameOfPage(entry, within)) * 4 + (address % PAGE_SIZE);
}
