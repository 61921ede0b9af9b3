/**
 * When the race detector has to watch: as long as no word that several CPUs use is accessed plainly
 * there is nothing to watch. The execution that arms it was not watched from its beginning:
 * `tookNoNotice` says so, nothing is reported in it, and it must be repeated.
 */
import { TABLE_SHIFT } from '../../../shared/limits.ts';

/** Marks a plain access. */
export const PLAINLY = 0x100;
const EVERYBODY = 0xff;

export let armed = false;
let justArmed = false;
let frameBase = 0;
/** Who uses a word or frame, and PLAINLY if anybody does so. */
let users = new Uint16Array(0);
let frameUsers = new Uint16Array(0);

/** For another machine. */
export function disarm(words: number, frames: number, framesAt: number): void {
  users = new Uint16Array(words);
  frameUsers = new Uint16Array(frames);
  frameBase = framesAt;
  armed = false;
  justArmed = false;
}

export function arm(): void {
  if (!armed) justArmed = true;
  armed = true;
}

/** Before an execution: it shall be watched from its beginning, and all that follow. */
export function armBefore(): void {
  armed = true;
  justArmed = false;
}

/** Whether the present execution is watched from its beginning. */
export function isWhole(): boolean {
  return !justArmed;
}

/** Whether the detector was armed in the middle of the last execution. */
export function tookNoNotice(): boolean {
  const was = justArmed;
  justArmed = false;
  return was;
}

/** Notes a use of a word while the detector is not armed. `how`: PLAINLY or 0. */
export function noteWord(id: number, at: number, how: number): void {
  note(id, users, at, how);
  if (at >= frameBase) note(id, frameUsers, (at - frameBase) >> TABLE_SHIFT, 0);
}

/** Notes that a whole frame is written plainly. */
export function noteFrame(id: number, frame: number): void {
  note(id, frameUsers, frame, PLAINLY);
}

function note(id: number, by: Uint16Array, index: number, how: number): void {
  const before = by[index] as number;
  const now = before | (1 << id) | how;
  if (now === before) return;
  by[index] = now;
  const set = now & EVERYBODY;
  if (now > EVERYBODY && (set & (set - 1)) !== 0) arm();
}
