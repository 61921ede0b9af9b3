/**
 * What a CPU's code holds in JavaScript objects, for the identity of states.
 *
 * What a function has read is forgotten when it returns, but for its result: `enter` and `leave`
 * stand around each call (build/transform.ts). Else two states would differ for ever in how long a
 * CPU has waited for a lock, say. What it has written into objects is not forgotten: each write is
 * noted (build/heap-writes.ts) in a hash of its own, by the identity of the object.
 *
 * The identity of an object is the CPU's hash when the object is first seen here, which says how it
 * was made; objects that last from execution to execution have fixed ones (`identify`).
 */
import { hashing, highOf, lowOf, noteValue } from './state-hash.ts';
import type { Task } from './task.ts';
import { current } from './turn.ts';

/** An object, and what has been written into it in this execution. */
class Known {
  /** 53 bits. */
  readonly identity: number;
  execution: number;
  /** The members written, and hashes of their values; an array's elements count as one member. */
  readonly keys: unknown[] = [];
  readonly values: number[] = [];

  constructor(identity: number) {
    this.identity = identity;
    this.execution = execution;
  }
}

/** Stands for all elements of an array. */
const WHOLE = '';
/** Longer arrays are not looked through at each change. */
const ELEMENTS_MAX = 64;
/** Where an object keeps what is known of it: a map beside would cost a third of the search. */
const KNOWN = Symbol('known');

interface Bearer {
  [KNOWN]?: Known;
}

let execution = 0;

/** At the start of an execution. */
export function startHeap(): void {
  execution++;
}

/** Gives an object that outlives executions an identity. */
export function identify(object: object, identity: number): void {
  if (Object.isExtensible(object)) (object as Bearer)[KNOWN] = new Known(identity);
}

function knownOf(task: Task, object: object): Known {
  let known = (object as Bearer)[KNOWN];
  if (known === undefined) {
    const identity = (task.high >>> 11) * 2 ** 32 + ((task.low ^ task.heapLow) >>> 0);
    known = new Known(identity);
    // What is frozen cannot be written into, and need not be told apart.
    if (Object.isExtensible(object)) (object as Bearer)[KNOWN] = known;
  } else if (known.execution !== execution) {
    known.execution = execution;
    known.keys.length = 0;
    known.values.length = 0;
  }
  return known;
}

/** A hash of a number that need not be of 32 bits. */
function numberHash(value: number): number {
  if ((value | 0) === value) return value;
  if (!Number.isFinite(value)) return 0x51ed270b;
  const high = Math.floor(value / 2 ** 32);
  return (
    (value ^ Math.imul(high, 0x2c1b3c6d) ^ Math.imul((value - Math.floor(value)) * 2 ** 31, 3)) | 0
  );
}

function textHash(value: string): number {
  let hash = value.length;
  for (let i = 0; i < value.length; i++) hash = (Math.imul(hash, 31) + value.charCodeAt(i)) | 0;
  return hash;
}

function hashOf(task: Task, value: unknown): number {
  switch (typeof value) {
    case 'number':
      return numberHash(value);
    case 'string':
      return textHash(value);
    case 'boolean':
      return value ? 0x7ed55d16 : 0x165667b1;
    case 'object':
      return value === null ? 0x3c6ef372 : numberHash(knownOf(task, value).identity);
    case 'function':
      return numberHash(knownOf(task, value).identity);
    default:
      return 0x1f83d9ab;
  }
}

/** A member of a known object now has a value of this hash. */
function setValue(task: Task, known: Known, key: unknown, value: number): void {
  const place = numberHash(known.identity) ^ Math.imul(hashOf(task, key), 0x2545f491);
  let index = known.keys.indexOf(key);
  if (index >= 0) {
    const before = known.values[index] as number;
    if (before === value) return;
    task.heapLow = (task.heapLow - lowOf(place, before)) | 0;
    task.heapHigh = (task.heapHigh - highOf(place, before)) | 0;
  } else {
    index = known.keys.length;
    known.keys.push(key);
  }
  known.values[index] = value;
  task.heapLow = (task.heapLow + lowOf(place, value)) | 0;
  task.heapHigh = (task.heapHigh + highOf(place, value)) | 0;
}

/** A member of an object has become `value`. */
export function wrote<V>(value: V, object: object, key: unknown): V {
  if (!hashing) return value;
  setValue(current, knownOf(current, object), key, hashOf(current, value));
  return value;
}

/** An array has been changed by one of its methods. */
export function changed<V>(value: V, array: unknown): V {
  if (!hashing) return value;
  if (!Array.isArray(array) || array.length > ELEMENTS_MAX) return somethingChanged(value);
  let whole = array.length;
  for (const element of array) {
    whole = Math.imul(whole ^ hashOf(current, element), 0x1b873593);
    whole = (whole ^ (whole >>> 15)) + 0x38495ab5;
  }
  setValue(current, knownOf(current, array), WHOLE, whole | 0);
  return value;
}

/** Any object may have been changed, as all that the code has read decides. */
export function somethingChanged<V>(value: V): V {
  if (!hashing) return value;
  current.heapLow = (current.heapLow + lowOf(current.high, current.low)) | 0;
  current.heapHigh = (current.heapHigh + highOf(current.low, current.high)) | 0;
  return value;
}

/** Before a call. */
export function enter(): void {
  if (!hashing) return;
  const { saved, depth } = current;
  saved[depth] = current.low;
  saved[depth + 1] = current.high;
  current.depth = depth + 2;
}

/** After it: what it has read matters no more, but for its result. */
export function leave<V>(_entered: void, value: V): V {
  if (!hashing) return value;
  const task = current;
  const depth = task.depth - 2;
  task.depth = depth;
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  // A new object holds what the call has read.
  if (isObject && (value as Bearer)[KNOWN] === undefined) return value;
  const result = hashOf(task, value);
  task.low = task.saved[depth] as number;
  task.high = task.saved[depth + 1] as number;
  noteValue(task, result);
  noteValue(task, task.heapLow);
  noteValue(task, task.heapHigh);
  return value;
}
