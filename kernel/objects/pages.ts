/**
 * The page cache: the pages of memory objects, as mappings and file operations find them.
 *
 *     absent   the host must supply it first: below OBJECT.SUPPLIED
 *     hole     not there and beyond what the host has: reads as zero, made at the first touch
 *     there    in the index, with a frame that all users share
 *
 * Guarantees: a page has one frame at a time. A frame comes with a reference for the caller, taken
 * before another CPU could remove the page; no page at or beyond the object's end is handed out.
 * Locking: OBJECT.LOCK, for a few steps. It nests in page and range locks.
 */
import { and, load, or, peek, store, writeBytes } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { FILE_BYTES_MAX, PAGE_SIZE } from '../../shared/limits.ts';
import { bytesOf, objectPageOf, pagesOf } from '../../shared/units.ts';
import type { ObjectBlock, ObjectPage, Pfn } from '../../shared/units.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertHeld } from '../machine/held-locks.ts';
import { lock, unlock } from '../machine/spinlock.ts';
import { allocFrame, freeFrame, getFrame } from '../frames/frames.ts';
import { loadWide, storeWide } from '../frames/wide.ts';
import { frameField, frameWord, zeroFrame } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { indexInsert, indexLookup, indexNext, indexRemove } from './page-index.ts';

/** In place of a frame. */
export const PAGE_ABSENT = 0;
export const PAGE_BEYOND = -1;
export const PAGE_NO_MEMORY = -2;
export const PAGE_HOLE = -3;

const ZEROS: Uint8Array = new Uint8Array(PAGE_SIZE);

/** The frame of a page, with a reference, or PAGE_ABSENT, PAGE_HOLE, PAGE_BEYOND. */
export function findPage(cpu: Cpu, object: ObjectBlock, page: ObjectPage): Pfn {
  lock(cpu, object + OBJECT.LOCK);
  let pfn = PAGE_BEYOND;
  if (page < peek(cpu.words, object + OBJECT.PAGES)) {
    pfn = indexLookup(cpu, object, page);
    if (pfn !== 0) getFrame(cpu, pfn);
    else if (bytesOf(page) >= loadWide(cpu.machine, object + OBJECT.SUPPLIED)) pfn = PAGE_HOLE;
  }
  unlock(cpu, object + OBJECT.LOCK);
  return pfn;
}

/** The same, but a hole becomes a page, or PAGE_NO_MEMORY. */
export function getPage(cpu: Cpu, object: ObjectBlock, page: ObjectPage): Pfn {
  const pfn = findPage(cpu, object, page);
  return pfn === PAGE_HOLE ? makePage(cpu, object, page, false) : touch(cpu, pfn);
}

/** The same for a write that may extend the object: the page may lie beyond the end. */
export function getWritePage(cpu: Cpu, object: ObjectBlock, page: ObjectPage): Pfn {
  const pfn = findPage(cpu, object, page);
  const isThere = pfn !== PAGE_HOLE && pfn !== PAGE_BEYOND;
  // One that is kept beyond the end may be there all the same.
  return isThere ? touch(cpu, pfn) : makePage(cpu, object, page, true);
}

/**
 * The same as getWritePage, but a new page is not to be used now: it is no data until it is, or
 * until it is reserved again (Linux: SGP_FALLOC of a folio that was fallocated earlier).
 */
export function reservePage(cpu: Cpu, object: ObjectBlock, page: ObjectPage): Pfn {
  const pfn = findPage(cpu, object, page);
  if (pfn !== PAGE_HOLE && pfn !== PAGE_BEYOND) return touch(cpu, pfn);
  return makePage(cpu, object, page, true, FRAME.UNTOUCHED);
}

/** A page, with a reference, is about to be used. */
function touch(cpu: Cpu, pfn: Pfn): Pfn {
  if (pfn > 0 && isUntouched(cpu, pfn)) {
    // ORDER: only this mark goes; whoever looks at it takes a momentary value.
    and(cpu.words, frameField(cpu.machine, pfn, FRAME.STATE), ~FRAME.UNTOUCHED);
  }
  return pfn;
}

function isUntouched(cpu: Cpu, pfn: Pfn): boolean {
  // ORDER: a momentary value: a page may come into use at any time.
  return (load(cpu.words, frameField(cpu.machine, pfn, FRAME.STATE)) & FRAME.UNTOUCHED) !== 0;
}

function makePage(cpu: Cpu, object: ObjectBlock, page: ObjectPage, beyond: boolean, mark = 0): Pfn {
  const pfn = allocFrame(cpu, FRAME.USED);
  if (pfn === 0) return PAGE_NO_MEMORY;
  zeroFrame(cpu.machine, pfn);
  // ORDER: nobody else has the frame yet.
  if (mark !== 0) or(cpu.words, frameField(cpu.machine, pfn, FRAME.STATE), mark);
  const there = enterPage(cpu, object, page, pfn, beyond);
  // One beyond the end, or another CPU's.
  return there === pfn ? there : touch(cpu, there);
}

/**
 * Makes `pfn`, whose reference is the caller's, the page, unless another CPU was first. Returns the
 * page's frame, with a reference for the caller; PAGE_BEYOND or PAGE_NO_MEMORY.
 */
function enterPage(
  cpu: Cpu,
  object: ObjectBlock,
  page: ObjectPage,
  pfn: Pfn,
  beyond: boolean,
): Pfn {
  const { machine, words } = cpu;
  let result = PAGE_BEYOND;
  lock(cpu, object + OBJECT.LOCK);
  if (beyond || page < peek(words, object + OBJECT.PAGES)) {
    result = indexLookup(cpu, object, page);
    if (result === 0) result = indexInsert(cpu, object, page, pfn) ? pfn : PAGE_NO_MEMORY;
    if (result > 0) getFrame(cpu, result);
  }
  // ORDER: before the lock lets anybody else find the frame.
  if (result === pfn) or(words, frameField(machine, pfn, FRAME.STATE), FRAME.PAGE_CACHE);
  unlock(cpu, object + OBJECT.LOCK);
  if (result !== pfn) {
    if (result > 0) count(cpu, STAT.raceLosses, 1);
    freeFrame(cpu, pfn);
  }
  return result;
}

/**
 * Gives a frame that the host filled to an object as its page; the caller's reference becomes the
 * index's. What a truncation has cut off meanwhile is zeroed, or not entered at all. False when
 * memory for the index is exhausted.
 */
export function supplyPage(cpu: Cpu, object: ObjectBlock, page: ObjectPage, pfn: Pfn): boolean {
  const { machine } = cpu;
  lock(cpu, object + OBJECT.LOCK);
  const rest = loadWide(machine, object + OBJECT.SUPPLIED) - bytesOf(page);
  const isWanted = rest > 0 && indexLookup(cpu, object, page) === 0;
  if (isWanted && rest < PAGE_SIZE) zeroBytes(cpu, pfn, rest);
  const isEntered = isWanted && indexInsert(cpu, object, page, pfn);
  // ORDER: as in enterPage.
  if (isEntered) or(cpu.words, frameField(machine, pfn, FRAME.STATE), FRAME.PAGE_CACHE);
  unlock(cpu, object + OBJECT.LOCK);
  if (!isEntered) freeFrame(cpu, pfn);
  return isEntered || !isWanted;
}

/** The frame of a page for comparing, 0 for none: without a reference, so it may be gone. */
export function pageFrame(cpu: Cpu, object: ObjectBlock, page: ObjectPage): Pfn {
  lock(cpu, object + OBJECT.LOCK);
  const pfn = indexLookup(cpu, object, page);
  unlock(cpu, object + OBJECT.LOCK);
  return pfn;
}

/** Whether a page is there and has been used. */
export function hasData(cpu: Cpu, object: ObjectBlock, page: ObjectPage): boolean {
  lock(cpu, object + OBJECT.LOCK);
  const pfn = indexLookup(cpu, object, page);
  const result = pfn !== 0 && !isUntouched(cpu, pfn);
  unlock(cpu, object + OBJECT.LOCK);
  return result;
}

/** The first page from `firstPage` on that has data (or with `data` false: has none); or -1. */
export function nextPage(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  data: boolean,
): ObjectPage {
  lock(cpu, object + OBJECT.LOCK);
  const result = seekPage(cpu, object, firstPage, data);
  unlock(cpu, object + OBJECT.LOCK);
  return result;
}

function seekPage(cpu: Cpu, object: ObjectBlock, firstPage: ObjectPage, data: boolean): ObjectPage {
  const endPage = peek(cpu.words, object + OBJECT.PAGES);
  for (let page = firstPage; page < endPage; page++) {
    const there = indexNext(cpu, object, page, endPage);
    if (!data && there !== page) return page;
    if (there < 0) return -1;
    if (isUntouched(cpu, indexLookup(cpu, object, there)) !== data) return there;
    page = there;
  }
  return -1;
}

/** Whether a frame in use is, or was until recently, the page of an object. */
export function isPageCache(machine: Machine, pfn: Pfn): boolean {
  // ORDER: set before the frame could be found; the caller holds a reference.
  return (load(machine.words, frameField(machine, pfn, FRAME.STATE)) & FRAME.PAGE_CACHE) !== 0;
}

/** Notes that an object's page differs from what the host has. The caller holds a reference. */
export function markDirty(cpu: Cpu, pfn: Pfn): void {
  const at = frameField(cpu.machine, pfn, FRAME.STATE);
  // ORDER: after the write; a CPU that clears the mark copies the page afterwards.
  if ((load(cpu.words, at) & FRAME.DIRTY) === 0) or(cpu.words, at, FRAME.DIRTY);
}

/** Bytes of the object at this moment. */
export function objectSize(cpu: Cpu, object: ObjectBlock): number {
  lock(cpu, object + OBJECT.LOCK);
  const size = loadWide(cpu.machine, object + OBJECT.SIZE);
  unlock(cpu, object + OBJECT.LOCK);
  return size;
}

/** A write has reached `end`: the object is at least that long. */
export function extendObject(cpu: Cpu, object: ObjectBlock, end: number): void {
  lock(cpu, object + OBJECT.LOCK);
  if (end > loadWide(cpu.machine, object + OBJECT.SIZE)) setSize(cpu, object, end);
  unlock(cpu, object + OBJECT.LOCK);
}

/** What supplies the object's pages has all of its bytes. */
export function supplyAll(cpu: Cpu, object: ObjectBlock): void {
  lock(cpu, object + OBJECT.LOCK);
  const size = loadWide(cpu.machine, object + OBJECT.SIZE);
  storeWide(cpu.machine, object + OBJECT.SUPPLIED, size);
  unlock(cpu, object + OBJECT.LOCK);
}

/**
 * The first two steps of a truncation: the new size, and the pages beyond it out of the index. The
 * caller then takes them out of all mappings. Returns the old number of pages.
 */
export function cutObject(cpu: Cpu, object: ObjectBlock, size: number): number {
  const { machine, words } = cpu;
  lock(cpu, object + OBJECT.LOCK);
  const pages = peek(words, object + OBJECT.PAGES);
  for (const field of [OBJECT.SUPPLIED, OBJECT.WRITTEN]) {
    if (size < loadWide(machine, object + field)) storeWide(machine, object + field, size);
  }
  // Also what a failed write has left beyond the end.
  indexRemove(cpu, object, pagesOf(size), pagesOf(FILE_BYTES_MAX));
  zeroTail(cpu, object, size);
  setSize(cpu, object, size);
  unlock(cpu, object + OBJECT.LOCK);
  return pages;
}

/**
 * Makes the pages [firstPage, endPage) holes again. The caller then takes them out of all mappings.
 */
export function dropPages(
  cpu: Cpu,
  object: ObjectBlock,
  firstPage: ObjectPage,
  endPage: ObjectPage,
): void {
  lock(cpu, object + OBJECT.LOCK);
  indexRemove(cpu, object, firstPage, endPage);
  unlock(cpu, object + OBJECT.LOCK);
}

/** Zeroes what lies between byte `from` of the object and the end of its page, if it is there. */
export function zeroFrom(cpu: Cpu, object: ObjectBlock, from: number): void {
  lock(cpu, object + OBJECT.LOCK);
  zeroTail(cpu, object, from);
  unlock(cpu, object + OBJECT.LOCK);
}

/** Zeroes the bytes [from, end) of the object, which lie in one page, if that is there. */
export function zeroBytesOf(cpu: Cpu, object: ObjectBlock, from: number, end: number): void {
  lock(cpu, object + OBJECT.LOCK);
  const pfn = indexLookup(cpu, object, objectPageOf(from));
  if (pfn !== 0) zeroBytes(cpu, pfn, from % PAGE_SIZE, end - from);
  unlock(cpu, object + OBJECT.LOCK);
}

function zeroTail(cpu: Cpu, object: ObjectBlock, from: number): void {
  assertHeld(cpu, object + OBJECT.LOCK);
  if (from % PAGE_SIZE === 0) return;
  const pfn = indexLookup(cpu, object, objectPageOf(from));
  if (pfn !== 0) zeroBytes(cpu, pfn, from % PAGE_SIZE);
}

function zeroBytes(cpu: Cpu, pfn: Pfn, from: number, length = PAGE_SIZE - from): void {
  writeBytes(cpu.words, frameWord(cpu.machine, pfn) * 4 + from, ZEROS.subarray(0, length));
}

function setSize(cpu: Cpu, object: ObjectBlock, size: number): void {
  assertHeld(cpu, object + OBJECT.LOCK);
  storeWide(cpu.machine, object + OBJECT.SIZE, size);
  // ORDER: read without the lock where it is only compared (objectPages).
  store(cpu.words, object + OBJECT.PAGES, pagesOf(size));
}
