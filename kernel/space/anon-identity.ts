/**
 * The identity of private pages: Linux's anon_vma, as far as it decides which areas merge.
 *
 * In Linux an area gets an anon_vma with its first private page: a neighbour's, if the two differ
 * in permissions only, else a new one. Areas with different ones never merge. Here a fault knows no
 * area, so identities are assigned late: before an operation changes areas, it looks at those that
 * it overlaps or touches, and each that has private pages but no identity gets one. Between
 * neighbours, the order in which they were first written decides: each private frame carries a
 * stamp.
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
import type { AreaBlock, Pte, SpaceBlock, Vpn } from '../../shared/units.ts';
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

const NEVER = -1;

/** Settles the identities of the areas that overlap or touch [startVpn, endVpn), in VPNs. */
export function settleAnon(cpu: Cpu, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
  assertAreasHeld(cpu, space);
  // ORDER: 0 only for the last user, which tears down the whole space.
  if (load(cpu.words, space + SPACE.REFS) === 0) return;
  const store = new SharedAreaIndex(cpu, space);
  let node = treeEndingAfter(store, Math.max(0, addressOf(startVpn) - 1));
  while (node !== 0 && store.start(node) <= addressOf(endVpn)) {
    if (isOpen(cpu, node) && firstStamp(cpu, space, node, true) !== NEVER) {
      settleRun(cpu, space, store, node);
    }
    node = treeNext(store, node);
  }
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
  const { words } = cpu;
  if (peek(words, node + AREA.ANON) !== 0 || (flagsOf(cpu, node) & AREA_SHARED) !== 0) return;
  const next = treeNext(store, node);
  const previous = treePrevious(store, node);
  let id = next !== 0 && isKin(cpu, node, next) ? peek(words, next + AREA.ANON) : 0;
  if (id === 0 && previous !== 0 && isKin(cpu, previous, node)) {
    id = peek(words, previous + AREA.ANON);
  }
  if (id === 0) {
    id = peek(words, space + SPACE.LAST_ANON) + 1;
    poke(words, space + SPACE.LAST_ANON, id);
  }
  poke(words, node + AREA.ANON, id);
}

/** Settles `node` and the compatible areas next to it that have pages, by order of first page. */
function settleRun(cpu: Cpu, space: SpaceBlock, store: SharedAreaIndex, node: AreaBlock): void {
  let first = node;
  for (let below = treePrevious(store, first); below !== 0; below = treePrevious(store, first)) {
    if (!isKin(cpu, below, first) || !isOpen(cpu, below)) break;
    if (firstStamp(cpu, space, below, true) === NEVER) break;
    first = below;
  }
  const run: AreaBlock[] = [first];
  for (let at = first, above = treeNext(store, at); above !== 0; above = treeNext(store, at)) {
    if (!isKin(cpu, at, above) || !isOpen(cpu, above)) break;
    if (at !== first || above !== node) {
      if (firstStamp(cpu, space, above, true) === NEVER) break;
    }
    run.push(above);
    at = above;
  }
  if (run.length > 1) sortByStamp(cpu, space, run);
  for (let i = 0; i < run.length; i++) identify(cpu, space, store, run[i] as number);
}

/** Insertion sort: runs are short, and a callback may not touch shared memory. */
function sortByStamp(cpu: Cpu, space: SpaceBlock, run: AreaBlock[]): void {
  const stamps: number[] = [];
  for (let i = 0; i < run.length; i++) {
    const node = run[i] as number;
    const stamp = firstStamp(cpu, space, node, false);
    let at = i;
    for (; at > 0 && (((stamps[at - 1] as number) - stamp) | 0) > 0; at--) {
      stamps[at] = stamps[at - 1] as number;
      run[at] = run[at - 1] as number;
    }
    stamps[at] = stamp;
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
  if (peek(cpu.words, node + AREA.ANON) !== 0) return false;
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

/** The stamp of the area's first private page, or of any one; NEVER if it has none. */
function firstStamp(cpu: Cpu, space: SpaceBlock, node: AreaBlock, any: boolean): number {
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
        const stamp = stampOf(cpu, entry);
        if (any) return stamp;
        if (first === NEVER || ((stamp - first) | 0) < 0) first = stamp;
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

/** When the page of an entry was entered. */
function stampOf({ machine, words }: Cpu, entry: Pte): number {
  return peek(words, frameField(machine, pte.pfnOf(entry), FRAME.LINK)) & 0x7fffffff;
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
