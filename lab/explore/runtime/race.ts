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
 *
 * As long as there is nothing to watch the clocks stand still (race-arming.ts).
 */
import { TABLE_ENTRIES, TABLE_SHIFT } from '../../../shared/limits.ts';
import { PTE_V } from '../../../shared/pte.ts';
import { PLAINLY, arm, armed, disarm, isWhole, noteFrame, noteWord } from './race-arming.ts';
import type { Task } from './task.ts';
import { TASKS_MAX } from './task.ts';

export { armBefore, tookNoNotice } from './race-arming.ts';

const SHIFT = 3; // log2 TASKS_MAX
const CLOCK_MAX = 2 ** 27;

/** Told of a race; it decides whether that is a violation. */
export type RaceReport = (at: number, other: number, site: number, isWrite: boolean) => void;

let tasks = 0;
let frameBase = 0;
/**
 * What is remembered of each word: the last plain and the last ordered write as tick * 8 + task,
 * and by task the ticks of its last plain read and ordered access, and the clock released into the
 * word. All of it side by side, because it is looked at together.
 */
const RECORD_SHIFT = 5;
const PLAIN_WRITE = 0;
const ATOMIC_WRITE = 1;
/** The last read that was tolerated, as tick * 8 + task, and its site. */
const TOLERATED_READ = 2;
const TOLERATED_SITE = 3;
const PLAIN_READS = 8;
const ATOMIC_USES = 16;
const RELEASED = 24;
let shadow = new Int32Array(0);
/** Last use of a frame by each task; last whole-frame write. */
let frameUses = new Int32Array(0);
let frameWrites = new Int32Array(0);
let startTick = 1;
let report: RaceReport = () => {};
/** By site: 1 when its loads may race, 2 when they may unless what they read is present. */
let tolerance = new Uint8Array(0);
/** By site: 1 once its tolerance was needed. */
let needed = new Uint8Array(0);

/** More ticks than an execution has. */
const TICKS_MAX = 2 ** 17;

export function watchMemory(words: number, frames: number, framesAt: number): void {
  if (shadow.length === words << RECORD_SHIFT && frameWrites.length === frames) {
    // What was noted of another machine of this size comes before all of this one's executions.
    startTick += TICKS_MAX;
  } else {
    shadow = new Int32Array(words << RECORD_SHIFT);
    frameUses = new Int32Array(frames * TASKS_MAX);
    frameWrites = new Int32Array(frames);
    startTick = 1;
  }
  frameBase = framesAt;
  disarm(words, frames, framesAt);
}

export function onRace(handler: RaceReport): void {
  report = handler;
}

/** By site, how far its ordered loads may race with plain stores. */
export function tolerate(sites: Uint8Array<ArrayBuffer>): void {
  tolerance = sites;
  needed = new Uint8Array(sites.length);
}

/** By site, whether a race was tolerated there. */
export function tolerated(): Uint8Array {
  return needed;
}

/** Clocks for a new execution: everything before it happened before all of it. */
export function startClocks(all: readonly Task[]): void {
  tasks = all.length;
  if (!armed) return;
  let highest = startTick;
  for (const task of all) highest = Math.max(highest, task.clock[task.id] as number);
  if (highest > CLOCK_MAX) {
    shadow.fill(0);
    frameUses.fill(0);
    frameWrites.fill(0);
    highest = 1;
  }
  startTick = highest + 1;
  for (const { id, clock } of all) {
    for (let other = 0; other < TASKS_MAX; other++) clock[other] = startTick;
    clock[id] = startTick + 1;
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
  if (unordered(task, write)) reportRace(at, write & (TASKS_MAX - 1), site, true);
}

function reportRace(at: number, other: number, site: number, isWrite: boolean): void {
  if (isWhole()) report(at, other, site, isWrite);
}

export function plainRead(task: Task, at: number, site: number): void {
  if (tolerance[site] === 1) {
    if (armed && needed[site] === 0) noteTolerated(task, at, site);
    return;
  }
  const { clock, id } = task;
  if (!armed) return noteWord(id, at, PLAINLY);
  const mine = (at << RECORD_SHIFT) + PLAIN_READS + id;
  // Read since this task last released anything: nothing has changed (FastTrack, PLDI'09).
  if (shadow[mine] === clock[id]) return;
  checkWrites(task, at, site);
  shadow[mine] = clock[id] as number;
  useFrame(task, at, site);
}

/** A read that may race: whether it does, with a write before it or with one that follows. */
function noteTolerated(task: Task, at: number, site: number): void {
  const record = at << RECORD_SHIFT;
  const plain = shadow[record + PLAIN_WRITE] as number;
  const atomic = shadow[record + ATOMIC_WRITE] as number;
  if (unordered(task, plain) || unordered(task, atomic)) needed[site] = 1;
  shadow[record + TOLERATED_READ] = ((task.clock[task.id] as number) << SHIFT) | task.id;
  shadow[record + TOLERATED_SITE] = site;
}

function noteTolerance(task: Task, record: number): void {
  const read = shadow[record + TOLERATED_READ] as number;
  if (read !== 0 && unordered(task, read)) needed[shadow[record + TOLERATED_SITE] as number] = 1;
}

/** A plain access must come after the writes before it. */
function checkWrites(task: Task, at: number, site: number): void {
  const plain = shadow[(at << RECORD_SHIFT) + PLAIN_WRITE] as number;
  const atomic = shadow[(at << RECORD_SHIFT) + ATOMIC_WRITE] as number;
  if (unordered(task, plain)) reportRace(at, plain & (TASKS_MAX - 1), site, true);
  if (unordered(task, atomic)) reportRace(at, atomic & (TASKS_MAX - 1), site, true);
}

export function plainWrite(task: Task, at: number, site: number): void {
  const { clock, id } = task;
  if (!armed) return noteWord(id, at, PLAINLY);
  const record = at << RECORD_SHIFT;
  const epoch = ((clock[id] as number) << SHIFT) | id;
  if (shadow[record + PLAIN_WRITE] === epoch) return;
  checkWrites(task, at, site);
  noteTolerance(task, record);
  for (let other = 0; other < tasks; other++) {
    const known = clock[other] as number;
    const read = shadow[record + PLAIN_READS + other] as number;
    const used = shadow[record + ATOMIC_USES + other] as number;
    if (other !== id && (read > known || used > known)) reportRace(at, other, site, false);
  }
  shadow[record + PLAIN_WRITE] = epoch;
  useFrame(task, at, site);
}

/** Learns what the last ordered write of a word released, unless this task wrote it itself. */
function learn(clock: Int32Array, id: number, record: number): void {
  if (((shadow[record + ATOMIC_WRITE] as number) & (TASKS_MAX - 1)) === id) return;
  for (let other = 0; other < tasks; other++) {
    const tick = shadow[record + RELEASED + other] as number;
    if (tick > (clock[other] as number)) clock[other] = tick;
  }
}

/** An ordered read of `value`: acquires what the last ordered write released. */
export function acquire(task: Task, at: number, value: number, site: number): void {
  const { clock, id } = task;
  if (!armed) return noteWord(id, at, 0);
  const record = at << RECORD_SHIFT;
  learn(clock, id, record);
  const degree = tolerance[site] as number;
  const plain = shadow[record + PLAIN_WRITE] as number;
  if (unordered(task, plain) && (degree === 0 || (degree === 2 && (value & PTE_V) !== 0))) {
    reportRace(at, plain & (TASKS_MAX - 1), site, true);
  }
  // A walker's earlier reads may race with later plain writes.
  if (degree !== 0) {
    if (needed[site] === 0) noteTolerated(task, at, site);
    return;
  }
  shadow[record + ATOMIC_USES + id] = clock[id] as number;
  useFrame(task, at, site);
}

/** An ordered write: releases. `reads`: it is an exchange, which acquires first. */
export function release(task: Task, at: number, site: number, reads: boolean): void {
  if (armed) releaseArmed(task, at, site, reads);
  else noteWord(task.id, at, 0);
}

function releaseArmed(task: Task, at: number, site: number, reads: boolean): void {
  const { clock, id } = task;
  const record = at << RECORD_SHIFT;
  if (reads) learn(clock, id, record);
  const plain = shadow[record + PLAIN_WRITE] as number;
  if (unordered(task, plain)) reportRace(at, plain & (TASKS_MAX - 1), site, true);
  for (let other = 0; other < tasks; other++) {
    const known = clock[other] as number;
    const read = shadow[record + PLAIN_READS + other] as number;
    if (read > known && other !== id) reportRace(at, other, site, false);
    shadow[record + RELEASED + other] = known;
  }
  const tick = clock[id] as number;
  shadow[record + ATOMIC_WRITE] = (tick << SHIFT) | id;
  // A later ordered write covers this one; a plain one must come after both.
  shadow[record + ATOMIC_USES + id] = tick;
  useFrame(task, at, site);
  clock[id] = tick + 1;
}

/** A plain load that may read an old value: the clocks say whether it may. */
export function weakRead(): void {
  arm();
}

/** Whether the last ordered write of a word is not yet ordered before this task. */
export function mayReadOlder(task: Task, at: number): boolean {
  return unordered(task, shadow[(at << RECORD_SHIFT) + ATOMIC_WRITE] as number);
}

/** Everything that `other` has done happened before what `task` does next. */
export function join(task: Task, other: Task): void {
  for (let id = 0; id < tasks; id++) {
    task.clock[id] = Math.max(task.clock[id] as number, other.clock[id] as number);
  }
}

/** A program's access to memory. */
export function userAccess(task: Task, at: number, site: number): void {
  if (armed) useFrame(task, at, site);
  else noteWord(task.id, at, 0);
}

/** Memory in bulk. Whole frames by their uses, smaller pieces word by word. */
export function bulkWrite(task: Task, from: number, to: number, site: number): void {
  if (to - from !== TABLE_ENTRIES || from < frameBase) {
    for (let at = from; at < to; at++) plainWrite(task, at, site);
    return;
  }
  const { clock, id } = task;
  const frame = (from - frameBase) >> TABLE_SHIFT;
  if (!armed) return noteFrame(id, frame);
  useFrame(task, from, site);
  for (let other = 0; other < tasks; other++) {
    if ((frameUses[(frame << SHIFT) + other] as number) > (clock[other] as number)) {
      reportRace(from, other, site, false);
    }
  }
  frameWrites[frame] = ((clock[id] as number) << SHIFT) | id;
}

export function bulkRead(task: Task, from: number, site: number): void {
  if (armed) useFrame(task, from, site);
  else noteWord(task.id, from, 0);
}
