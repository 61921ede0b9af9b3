/** What a lesson is: a data file (JSON) with steps to do, each with what shows that it was done. */
import type { BootKey } from '../core/link.ts';

/** One thing that must come true. All conditions of a step must, at any time while it is open. */
export interface Condition {
  /** A call by hand, and how it must end: an errno or signal, or without an error if left out. */
  readonly call?: string;
  readonly error?: string;
  /** Of the call: by another process than the one that the page started. */
  readonly elsewhere?: boolean;
  /** A measure of the machine (measures.ts), compared with its value when the step began. */
  readonly measure?: string;
  readonly atLeast?: number;
  readonly rises?: number;
  readonly falls?: number;
  /** A built-in program that must have ended with code 0. */
  readonly program?: string;
  /** What the learner must type. */
  readonly reply?: string;
}

export interface LessonStep {
  /** What to do, or the question to answer. */
  readonly do: string;
  readonly check: readonly Condition[];
  readonly hint?: string;
  /** Said when the step is done, and on the teacher's page. */
  readonly why: string;
}

export interface Lesson {
  readonly title: string;
  readonly about: string;
  /** Settings of the machine that it needs; the others have their defaults. */
  readonly boot?: Readonly<Partial<Record<BootKey, string>>>;
  readonly steps: readonly LessonStep[];
}

/** The names of all lessons, in order, as `lessons/index.json` has them. */
export async function lessonNames(): Promise<readonly string[]> {
  return (await (await fetch('./lessons/index.json')).json()) as string[];
}

const loaded = new Map<string, Promise<Lesson>>();

/** Reads the lesson's file, once. Rejects when there is none. */
export function loadLesson(name: string): Promise<Lesson> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const lesson = readLesson(name);
  loaded.set(name, lesson);
  return lesson;
}

async function readLesson(name: string): Promise<Lesson> {
  if (!/^[a-z0-9-]+$/.test(name)) throw new Error(`no lesson can be called '${name}'`);
  const response = await fetch(`./lessons/${name}.json`);
  if (!response.ok) throw new Error(`there is no lesson '${name}'`);
  return (await response.json()) as Lesson;
}
