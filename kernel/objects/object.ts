/**
 * Memory objects: where the pages of a mapping come from, unless they are private anonymous memory.
 * Their kinds: kinds.ts.
 *
 * Locking: OBJECT.REFS is atomic; size and page index are under OBJECT.LOCK (pages.ts); the rest is
 * written before the object is shared.
 */
import { add, load, peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { BUDDY_ORDERS } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { pagesOf } from '../../shared/units.ts';
import type { ObjectBlock } from '../../shared/units.ts';
import { buddyAlloc } from '../frames/buddy.ts';
import type { Cpu } from '../machine/cpu.ts';
import { storeWide } from '../frames/wide.ts';
import { claimFrame, freeFrame, putFrame } from '../frames/frames.ts';
import { zeroFrame } from '../machine/machine.ts';
import { LOG_OBJECT, logEvent } from '../machine/log.ts';
import { kindNumbered, kindOf } from './kinds.ts';
import { indexFree } from './page-index.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';

export { objectSize } from './pages.ts';

/** What a new memory object is to be. */
export interface ObjectSpec {
  /** As OBJECT.KIND. */
  readonly kind: number;
  /** Size in bytes. */
  readonly size: number;
  /** The host's number for the file, device or module; 0 for shared memory without a name. */
  readonly host: number;
  /** Whether a shared mapping or a descriptor may be writable. */
  readonly writable: boolean;
}

/** A new object with one reference; 0 when memory is exhausted. */
export function createObject(cpu: Cpu, spec: ObjectSpec): ObjectBlock {
  const { words } = cpu;
  const { isHandedIn, isContiguous } = kindNumbered(spec.kind);
  const pages = pagesOf(spec.size);
  const object = slabAlloc(cpu, SLAB.OBJECT);
  if (object === 0) return 0;
  poke(words, object + OBJECT.REFS, 1);
  poke(words, object + OBJECT.KIND, spec.kind);
  poke(words, object + OBJECT.HOST, spec.host);
  poke(words, object + OBJECT.PAGES, pages);
  poke(words, object + OBJECT.WRITABLE, spec.writable ? 1 : 0);
  poke(words, object + OBJECT.INDEX_HEIGHT, 1);
  // ORDER: a counter; the number is only for reports.
  poke(words, object + OBJECT.INODE, add(words, BOOT.OBJECTS, 1) + 1);
  storeWide(cpu.machine, object + OBJECT.SIZE, spec.size);
  if (isHandedIn) storeWide(cpu.machine, object + OBJECT.SUPPLIED, spec.size);
  if (isContiguous && !takeLinear(cpu, object, pages)) {
    slabFree(cpu, SLAB.OBJECT, object);
    return 0;
  }
  if (isHandedIn && spec.kind !== OBJECT.TEXT)
    logEvent(cpu, LOG_OBJECT, spec.kind, pages, spec.host);
  return object;
}

/** Adds a reference, for one who has one already. */
export function getObject(cpu: Cpu, object: ObjectBlock): void {
  // ORDER: the caller has a reference, or the record lock that keeps one.
  if (add(cpu.words, object + OBJECT.REFS, 1) <= 0) panic('getObject: object is free', object);
}

/** Drops a reference. The last one frees the pages and the object. */
export function putObject(cpu: Cpu, object: ObjectBlock): void {
  // ORDER: the decrement to 0 comes after every other holder's last use.
  const before = add(cpu.words, object + OBJECT.REFS, -1);
  if (before <= 0) panic('putObject: object is free', object);
  if (before > 1) return;
  if (kindOf(cpu.machine, object).isContiguous) releaseLinear(cpu, object);
  else indexFree(cpu, object);
  slabFree(cpu, SLAB.OBJECT, object);
}

/** Pages of the object: a fault at or beyond is SIGBUS. */
export function objectPages(cpu: Cpu, object: ObjectBlock): number {
  // ORDER: the size may change under a truncation; a fault uses the value that it reads.
  return load(cpu.words, object + OBJECT.PAGES);
}

/** Frames of a linear object, in one buddy block; the rest of the block goes back at once. */
function takeLinear(cpu: Cpu, object: ObjectBlock, pages: number): boolean {
  const { machine, words } = cpu;
  let order = 0;
  while (order < BUDDY_ORDERS && 1 << order < pages) order++;
  if (order === BUDDY_ORDERS) return false;
  const base = buddyAlloc(cpu, order);
  if (base === 0) return false;
  for (let i = 0; i < 1 << order; i++) {
    claimFrame(cpu, base + i, FRAME.USED);
    if (i < pages) zeroFrame(machine, base + i);
    else freeFrame(cpu, base + i);
  }
  poke(words, object + OBJECT.BASE_PFN, base);
  return true;
}

function releaseLinear(cpu: Cpu, object: ObjectBlock): void {
  const base = peek(cpu.words, object + OBJECT.BASE_PFN);
  const pages = peek(cpu.words, object + OBJECT.PAGES);
  for (let i = 0; i < pages; i++) putFrame(cpu, base + i);
}
