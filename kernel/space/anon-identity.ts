/**
 * The identity of private pages: Linux's anon_vma, as far as it decides which areas merge.
 *
 * In Linux an area gets an anon_vma with its first private page: a neighbour's, if the two differ
 * in permissions only, else a new one. Areas with different ones never merge. Here a fault knows no
 * area, so identities are assigned late: before an operation changes areas, it looks at those that
 * it overlaps or touches, and each that has private pages but no identity gets one. Between
 * neighbours, the order in which they were first written decides: each frame knows the millisecond
 * and the sequence number at which it came into use.
 *
 * An area that fork copied has an identity of its own, marked as inherited. It merges only with
 * areas of the same identity, and gives it to no neighbour (Linux: an anon_vma_chain that is not
 * singular).
 *
 * An area that was never written would be searched at each operation beside it, however large it
 * is. So the space remembers one range that had no private page, and its number of faults by then:
 * without another fault, the range still has none.
 *
 * Guarantees: what an operation finds is what Linux would have, for faults of one CPU. An area is
 * looked at again only until it has an identity.
 * Locking: the areas' lock. Entries are read without theirs: a fault at this moment counts as
 * later.
 * Not guaranteed: the order of faults on different CPUs.
 */
import { load, peek, poke } from '../../shared/atomics.ts';
import * as AREA from '../../shared/layout/area.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PROT_WRITE } from '../../shared/abi/mman.ts';
import * as pte from '../../shared/pte.ts';
import { addressOf } from '../../shared/units.ts';
import type { AreaBlock, Pfn, Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { frameField } from '../machine/machine.ts';
import { isPageCache } from '../objects/pages.ts';
import { openAtRoot } from '../paging/covering.ts';
import { Cursor, nextAt } from '../machine/cursor.ts';
import { seek } from '../paging/table.ts';
import { AREA_NAME, AREA_PROT, AREA_SHARED } from '../machine/area-flags.ts';
import { treeEndingAfter, treeFind, treeNext, treePrevious } from '../areas/area-tree.ts';
import { SharedAreaIndex } from './shared-area-index.ts';

/** In place of a frame: the area has no private page. */
const NEVER = -1;
/** In place of the frame of a page in swap, which came into use before those in memory. */
const SWAPPED = 0;

/**
 * Settles the identities of the areas that overlap or touch [startVpn, endVpn), in VPNs, and of
 * those that touch these: an area that the operation merges with another may become their kin.
 */
export function settleAnon(cpu: Cpu, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
  assertAreasHeld(cpu, space);
  // ORDER: 0 only for the last user, which tears down the whole space.
  if (load(cpu.words, space + SPACE.REFS) === 0) return;
  const store = new SharedAreaIndex(cpu, space);
  let node = treeEndingAfter(store, Math.max(0, addressOf(startVpn) - 1));
  const before = node === 0 ? 0 : treePrevious(store, node);
  if (before !== 0 && store.end(before) === store.start(node)) node = before;
  let endAddress = addressOf(endVpn);
  while (node !== 0 && store.start(node) <= endAddress) {
    // The last area of the range: the one that touches it is the last to be settled.
    if (store.end(node) > endAddress && store.start(node) <= addressOf(endVpn)) {
      endAddress = store.end(node);
    }
    if (isOpen(cpu, node) && firstFrame(cpu, space, node, true) !== NEVER) {
      settleRun(cpu, space, store, node);
    }
    node = treeNext(store, node);
  }
}

/** Notes that the area of page `vpn` has guards, which fork must copy from now on. */
export function noteGuards(cpu: Cpu, space: SpaceBlock, vpn: Vpn): void {
  assertAreasHeld(cpu, space);
  const node = treeFind(new SharedAreaIndex(cpu, space), addressOf(vpn));
  if (node !== 0) setIdentity(cpu, node, AREA.ANON_GUARDS);
}

/**
 * Gives the area of page `vpn` an identity now, as if a private page had just been entered (Linux:
 * anon_vma_prepare). To be called after openRange, which has settled the neighbours.
 */
export function prepareAnon(cpu: Cpu, space: SpaceBlock, vpn: Vpn): void {
  assertAreasHeld(cpu, space);
  const store = new SharedAreaIndex(cpu, space);
  const node = treeFind(store, addressOf(vpn));
  if (node !== 0) identify(cpu, space, store, node);
}

function identify(cpu: Cpu, space: SpaceBlock, store: SharedAreaIndex, node: AreaBlock): void {
  if (identityOf(cpu, node) !== 0) return;
  const next = treeNext(store, node);
  const previous = treePrevious(store, node);
  let id = next !== 0 && isKin(cpu, node, next) ? givenBy(cpu, next) : 0;
  if (id === 0 && previous !== 0 && isKin(cpu, previous, node)) id = givenBy(cpu, previous);
  setIdentity(cpu, node, id !== 0 ? id : newIdentity(cpu, space));
}

function identityOf(cpu: Cpu, node: AreaBlock): number {
  return peek(cpu.words, node + AREA.ANON) & ~AREA.ANON_GUARDS;
}

/** Adds to what ANON says. */
function setIdentity(cpu: Cpu, node: AreaBlock, bits: number): void {
  poke(cpu.words, node + AREA.ANON, peek(cpu.words, node + AREA.ANON) | bits);
}

/** The identity that a neighbour may take over from this area; 0 for none. */
function givenBy(cpu: Cpu, node: AreaBlock): number {
  const id = identityOf(cpu, node);
  return (id & AREA.ANON_INHERITED) !== 0 ? 0 : id;
}

function newIdentity(cpu: Cpu, space: SpaceBlock): number {
  const id = peek(cpu.words, space + SPACE.LAST_ANON) + 1;
  poke(cpu.words, space + SPACE.LAST_ANON, id);
  return id;
}

/** The identity in a fork's child of an area that has one in the parent (anon_vma_fork). */
export function inheritedIdentity(cpu: Cpu, child: SpaceBlock): number {
  return newIdentity(cpu, child) | AREA.ANON_INHERITED;
}

/** Settles `node` and the compatible areas next to it that have pages, by order of first page. */
function settleRun(cpu: Cpu, space: SpaceBlock, store: SharedAreaIndex, node: AreaBlock): void {
  let first = node;
  for (let below = treePrevious(store, first); below !== 0; below = treePrevious(store, first)) {
    if (!isKin(cpu, below, first) || !isOpen(cpu, below)) break;
    if (firstFrame(cpu, space, below, true) === NEVER) break;
    first = below;
  }
  const run: AreaBlock[] = [first];
  for (let at = first, above = treeNext(store, at); above !== 0; above = treeNext(store, at)) {
    if (!isKin(cpu, at, above) || !isOpen(cpu, above)) break;
    if (at !== first || above !== node) {
      if (firstFrame(cpu, space, above, true) === NEVER) break;
    }
    run.push(above);
    at = above;
  }
  if (run.length > 1) sortByAge(cpu, space, run);
  for (let i = 0; i < run.length; i++) identify(cpu, space, store, run[i] as number);
}

/** Insertion sort: runs are short, and a callback may not touch shared memory. */
function sortByAge(cpu: Cpu, space: SpaceBlock, run: AreaBlock[]): void {
  const frames: Pfn[] = [];
  for (let i = 0; i < run.length; i++) {
    const node = run[i] as number;
    const pfn = firstFrame(cpu, space, node, false);
    let at = i;
    for (; at > 0 && isOlder(cpu, pfn, frames[at - 1] as number); at--) {
      frames[at] = frames[at - 1] as number;
      run[at] = run[at - 1] as number;
    }
    frames[at] = pfn;
    run[at] = node;
  }
}

function flagsOf(cpu: Cpu, node: AreaBlock): number {
  return peek(cpu.words, node + AREA.FLAGS);
}

/**
 * Whether the area may have private pages that no identity accounts for. An area that may not be
 * written has got none since the operation that made it so, which settled it.
 */
function isOpen(cpu: Cpu, node: AreaBlock): boolean {
  if (identityOf(cpu, node) !== 0) return false;
  return (flagsOf(cpu, node) & (AREA_SHARED | PROT_WRITE)) === PROT_WRITE;
}

/** Whether nodes in address order touch and differ only in permissions and name. */
function isKin(cpu: Cpu, left: AreaBlock, right: AreaBlock): boolean {
  const { words } = cpu;
  return (
    peek(words, left + AREA.END) === peek(words, right + AREA.START) &&
    ((flagsOf(cpu, left) ^ flagsOf(cpu, right)) & ~(AREA_PROT | AREA_NAME)) === 0 &&
    peek(words, left + AREA.RECORD) === peek(words, right + AREA.RECORD) &&
    peek(words, left + AREA.DELTA) === peek(words, right + AREA.DELTA)
  );
}

/** The frame of the area's first private page, or of any one; SWAPPED, or NEVER for none. */
function firstFrame(cpu: Cpu, space: SpaceBlock, node: AreaBlock, any: boolean): number {
  const { words } = cpu;
  const startVpn = peek(words, node + AREA.START);
  const endVpn = peek(words, node + AREA.END);
  const faults = faultsOf(cpu, space);
  const isKnown = peek(words, space + SPACE.NO_PRIVATE_FAULTS) === faults;
  const bareStart = isKnown ? peek(words, space + SPACE.NO_PRIVATE_START) : 0;
  const bareEnd = isKnown ? peek(words, space + SPACE.NO_PRIVATE_END) : 0;
  const cursor = new Cursor();
  openAtRoot(cpu, cursor, space, startVpn, endVpn);
  let first = NEVER;
  for (let vpn = startVpn; vpn < endVpn;) {
    if (vpn >= bareStart && vpn < bareEnd) {
      vpn = bareEnd;
      continue;
    }
    let at = seek(cpu, cursor, vpn);
    const { level } = cursor;
    const stop = Math.min(vpn < bareStart ? bareStart : endVpn, endVpn, nextAt(vpn, level + 1));
    do {
      // ORDER: acquires the tables passed; the areas' lock keeps them linked.
      const entry: Pte = load(words, at);
      if (level > 0 && pte.isTable(entry)) break;
      if (level === 0 && isPrivatePage(cpu, entry)) {
        const pfn = pte.isPresent(entry) ? pte.pfnOf(entry) : SWAPPED;
        if (any || pfn === SWAPPED) return pfn;
        if (first === NEVER || isOlder(cpu, pfn, first)) first = pfn;
      }
      at++;
      vpn = nextAt(vpn, level);
    } while (vpn < stop);
  }
  if (first === NEVER) {
    const touches = startVpn <= bareEnd && endVpn >= bareStart;
    poke(words, space + SPACE.NO_PRIVATE_START, touches ? Math.min(startVpn, bareStart) : startVpn);
    poke(words, space + SPACE.NO_PRIVATE_END, touches ? Math.max(endVpn, bareEnd) : endVpn);
    poke(words, space + SPACE.NO_PRIVATE_FAULTS, faults);
  }
  return first;
}

/** Whether one frame came into use before another. */
function isOlder({ machine, words }: Cpu, one: Pfn, other: Pfn): boolean {
  if (one === SWAPPED || other === SWAPPED) return other !== SWAPPED;
  const ms = peek(words, frameField(machine, one, FRAME.LINK));
  const otherMs = peek(words, frameField(machine, other, FRAME.LINK));
  if (ms !== otherMs) return ((ms - otherMs) | 0) < 0;
  const state = peek(words, frameField(machine, one, FRAME.STATE));
  const otherState = peek(words, frameField(machine, other, FRAME.STATE));
  // The numbers wrap.
  const sequence = state >> FRAME.SEQUENCE_SHIFT;
  const later = otherState >> FRAME.SEQUENCE_SHIFT;
  return (sequence - later) << (32 - FRAME.SEQUENCE_SHIFT) < 0;
}

/** Faults that the space has had. One in progress on another CPU counts as later. */
function faultsOf(cpu: Cpu, space: SpaceBlock): number {
  // ORDER: before the entries are read; a fault is counted after its entry is there.
  const minor = load(cpu.words, space + SPACE.FAULTS_MINOR);
  return (minor + load(cpu.words, space + SPACE.FAULTS_MAJOR)) | 0;
}

/** Whether the entry maps a page of this mapping's own: neither the zero page nor an object's. */
function isPrivatePage(cpu: Cpu, entry: Pte): boolean {
  if (!pte.isPresent(entry)) return pte.isSwapped(entry);
  return !pte.isZeroPage(entry) && !isPageCache(cpu.machine, pte.pfnOf(entry));
}
