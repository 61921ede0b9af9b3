/**
 * The race detector: plain accesses are no scheduling points, so they must be ordered.
 *
 * Each task has a vector clock. An atomic write releases the writer's clock into the word, an
 * atomic read acquires it. Two accesses to one word of which one is a write and one is plain must
 * be ordered by these clocks (happens-before, as in the JavaScript memory model); when they are
 * not, that is reported as a violation, and when nothing is reported, no interleaving of plain
 * accesses can show anything that interleaving the atomic ones does not show.
 *
 * Memory in bulk is looked at by the frame: whole-frame writes must come after every use of the
 * frame. A program's own accesses race with each other by right; against the kernel they count.
 *
 * Clocks grow over all executions, so that the shadow words need no clearing between them.
 */
import { TABLE_ENTRIES, TABLE_SHIFT } from '../../../shared/limits.ts';
import { PTE_V } from '../../../shared/pte.ts';
import type { Task } from './task.ts';
import { TASKS_MAX } from './task.ts';

const SHIFT = 3; // log2 TASKS_MAX
const CLOCK_MAX = 2 ** 27;

/** Told of a race; it decides whether that is a violation. */
export type RaceReport = (at: number, other: number, site: number, isWrite: boolean) => void;

let tasks = 0;
let frameBase = 0;
/** Last plain and last atomic write of a word: tick * 8 + task. */
let plainWrites = new Int32Array(0);
let atomicWrites = new Int32Array(0);
/** Ticks of the last plain and atomic reads, by word and task. */
let plainReads = new Int32Array(0);
let atomicReads = new Int32Array(0);
/** Clock released into a word. */
let released = new Int32Array(0);
/** Last use of a frame by each task; last whole-frame write. */
let frameUses = new Int32Array(0);
let frameWrites = new Int32Array(0);
let startTick = 1;
let report: RaceReport = () => {};
/** By site: 1 when its loads may race, 2 when they may unless what they read is present. */
let tolerance = new Uint8Array(0);

export function watchMemory(words: number, frames: number, framesAt: number): void {
  plainWrites = new Int32Array(words);
  atomicWrites = new Int32Array(words);
  plainReads = new Int32Array(words * TASKS_MAX);
  atomicReads = new Int32Array(words * TASKS_MAX);
  released = new Int32Array(words * TASKS_MAX);
  frameUses = new Int32Array(frames * TASKS_MAX);
  frameWrites = new Int32Array(frames);
  frameBase = framesAt;
  startTick = 1;
}

export function onRace(handler: RaceReport): void {
  report = handler;
}

/** By site, how far its ordered loads may race with plain stores. */
export function tolerate(sites: Uint8Array<ArrayBuffer>): void {
  tolerance = sites;
}

/** Clocks for a new execution: everything before it happened before all of it. */
export function startClocks(all: readonly Task[]): void {
  tasks = all.length;
  let highest = startTick;
  for (const task of all) highest = Math.max(highest, task.clock[task.id] as number);
  if (highest > CLOCK_MAX) {
    for (const shadow of [plainWrites, atomicWrites, plainReads, atomicReads, released]) {
      shadow.fill(0);
    }
    frameUses.fill(0);
    frameWrites.fill(0);
    highest = 1;
  }
  startTick = highest + 1;
  for (const task of all) {
    task.clock.fill(startTick);
    task.clock[task.id] = startTick + 1;
  }
}

function unordered(task: Task, epoch: number): boolean {
  const other = epoch & (TASKS_MAX - 1);
  return epoch >>> SHIFT > (task.clock[other] as number);
}

function useFrame(task: Task, at: number, site: number): void {
  if (at < frameBase) return;
  const frame = (at - frameBase) >> TABLE_SHIFT;
  frameUses[(frame << SHIFT) + task.id] = task.clock[task.id] as number;
  const write = frameWrites[frame] as number;
  if (unordered(task, write)) report(at, write & (TASKS_MAX - 1), site, true);
}

export function plainRead(task: Task, at: number, site: number): void {
  if (tolerance[site] === 1) return;
  const plain = plainWrites[at] as number;
  if (unordered(task, plain)) report(at, plain & (TASKS_MAX - 1), site, true);
  const atomic = atomicWrites[at] as number;
  if (unordered(task, atomic)) report(at, atomic & (TASKS_MAX - 1), site, true);
  plainReads[(at << SHIFT) + task.id] = task.clock[task.id] as number;
  useFrame(task, at, site);
}

export function plainWrite(task: Task, at: number, site: number): void {
  const { clock, id } = task;
  const plain = plainWrites[at] as number;
  if (unordered(task, plain)) report(at, plain & (TASKS_MAX - 1), site, true);
  const atomic = atomicWrites[at] as number;
  if (unordered(task, atomic)) report(at, atomic & (TASKS_MAX - 1), site, true);
  for (let other = 0, i = at << SHIFT; other < tasks; other++, i++) {
    if (other === id) continue;
    const known = clock[other] as number;
    if ((plainReads[i] as number) > known || (atomicReads[i] as number) > known) {
      report(at, other, site, false);
    }
  }
  plainWrites[at] = ((clock[id] as number) << SHIFT) | id;
  useFrame(task, at, site);
}

/** An ordered read of `value`: acquires what the last ordered write released. */
export function acquire(task: Task, at: number, value: number, site: number): void {
  const { clock, id } = task;
  for (let other = 0, i = at << SHIFT; other < tasks; other++, i++) {
    const tick = released[i] as number;
    if (tick > (clock[other] as number)) clock[other] = tick;
  }
  const tolerated = tolerance[site] as number;
  if (tolerated === 1) return;
  const plain = plainWrites[at] as number;
  if (unordered(task, plain) && (tolerated === 0 || (value & PTE_V) !== 0)) {
    report(at, plain & (TASKS_MAX - 1), site, true);
  }
  // What a walker read before matters to nobody who writes plainly later.
  if (tolerated !== 0) return;
  atomicReads[(at << SHIFT) + id] = clock[id] as number;
  useFrame(task, at, site);
}

/** An ordered write: releases. */
export function release(task: Task, at: number, site: number): void {
  const { clock, id } = task;
  const plain = plainWrites[at] as number;
  if (unordered(task, plain)) report(at, plain & (TASKS_MAX - 1), site, true);
  const first = at << SHIFT;
  for (let other = 0; other < tasks; other++) {
    const known = clock[other] as number;
    if (other !== id && (plainReads[first + other] as number) > known) {
      report(at, other, site, false);
    }
    released[first + other] = known;
  }
  const tick = clock[id] as number;
  atomicWrites[at] = (tick << SHIFT) | id;
  useFrame(task, at, site);
  clock[id] = tick + 1;
}

/** Whether the last ordered write of a word is not yet ordered before this task. */
export function mayReadOlder(task: Task, at: number): boolean {
  return unordered(task, atomicWrites[at] as number);
}

/** Everything that `other` has done happened before what `task` does next. */
export function join(task: Task, other: Task): void {
  for (let id = 0; id < tasks; id++) {
    task.clock[id] = Math.max(task.clock[id] as number, other.clock[id] as number);
  }
}

/** A program's access to memory. */
export function userAccess(task: Task, at: number, site: number): void {
  useFrame(task, at, site);
}

/** Memory in bulk. Whole frames by their uses, smaller pieces word by word. */
export function bulkWrite(task: Task, from: number, to: number, site: number): void {
  if (to - from !== TABLE_ENTRIES || from < frameBase) {
    for (let at = from; at < to; at++) plainWrite(task, at, site);
    return;
  }
  const { clock, id } = task;
  const frame = (from - frameBase) >> TABLE_SHIFT;
  useFrame(task, from, site);
  for (let other = 0; other < tasks; other++) {
    if ((frameUses[(frame << SHIFT) + other] as number) > (clock[other] as number)) {
      report(from, other, site, false);
    }
  }
  frameWrites[frame] = ((clock[id] as number) << SHIFT) | id;
}

export function bulkRead(task: Task, from: number, site: number): void {
  useFrame(task, from, site);
}
