/** Whose turn it is: the task whose code runs now, what drives it, and who is told. */
import * as T from './task.ts';
import type { Task } from './task.ts';

/** Decides whether a CPU goes on. */
export interface Driver {
  /** The result of the access that the task has written down; undefined: not now. */
  request(task: Task): number | undefined;
}

/** Told of every access while a failure is written down. */
export type Trace = (kind: string, at: number, value: number, site: number) => void;

const nobody = new T.Task(0);
export let current: Task = nobody;
/** null for code that runs alone: every access happens at once. */
export let driver: Driver | null = null;
/** Whether several CPUs run: the race detector is on. */
export let watching = false;
/** null when nobody wants to be told. */
export let trace: Trace | null = null;

/** Chooses the task whose code runs next, and its driver: null for code that runs alone. */
export function setCurrent(task: Task | null, by: Driver | null): void {
  current = task ?? nobody;
  driver = by;
  watching = by !== null;
}

export function setTrace(to: Trace | null): void {
  trace = to;
}
