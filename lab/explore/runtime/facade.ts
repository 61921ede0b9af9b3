/**
 * The atomics façade of the explore build, in the place of shared/atomics.ts.
 *
 * An ordered access writes down what it wants into the current task and asks the driver. Where this
 * CPU goes on, the driver performs the access at once (`perform`) and its result is the call's; a
 * CPU that has to let another one run gets undefined, and then the `yield` beside its call hands it
 * to the scheduler, which performs the access when it chooses this task again and sends the result
 * in. Plain accesses happen at once, under the race detector.
 */
import type { Words } from '../../../shared/atomics.ts';
import { mark } from './memory.ts';
import * as race from './race.ts';
import { changeWord, hashing, noteRead, noteValue } from './state-hash.ts';
import * as T from './task.ts';
import type { Task } from './task.ts';
import { current, driver, setCurrent, trace, watching } from './turn.ts';
import { noteAcquire, noteRelease } from './unaware.ts';

export { copyWords, fillWords, readBytes, writeBytes } from './bulk.ts';
export { setCurrent, setTrace } from './turn.ts';
export type { Driver } from './turn.ts';
export type { Words };

let words: Words = new Int32Array(new SharedArrayBuffer(0));
let wordHook: (at: number, value: number) => void = () => {};
let hookFrom = 0;
let hookTo = 0;

export function setWords(machineWords: Words): void {
  words = machineWords;
}

/** `hook` sees plain writes to [from, to) before they happen: the frames' metadata. */
export function setWordHook(from: number, to: number, hook: typeof wordHook): void {
  hookFrom = from;
  hookTo = to;
  wordHook = hook;
}

function pend(kind: number, at: number, a: number, b: number, site: number): number {
  current.kind = kind;
  current.at = at;
  current.a = a;
  current.b = b;
  current.site = site;
  // The transform supplies the yield for undefined, so that callers see numbers only.
  if (driver !== null) return driver.request(current) as number;
  if (kind === T.WAIT) throw new Error('a sleep that nobody can end');
  return perform(current, false);
}

/** `step`: the build made this access a scheduling point. */
export function peek(memory: Words, at: number, site = 0, step = 0): number {
  if (step === 1) {
    words = memory;
    return pend(T.PLAIN_LOAD, at, 0, 0, site);
  }
  if (watching) race.plainRead(current, at, site);
  const value = memory[at] as number;
  if (hashing) noteRead(current, at, value);
  if (trace !== null) trace('peek', at, value, site);
  return value;
}

export function poke(memory: Words, at: number, value: number, site = 0, step = 0): number {
  if (step === 1) {
    words = memory;
    return pend(T.PLAIN_STORE, at, value, 0, site);
  }
  if (watching) race.plainWrite(current, at, site);
  if (at >= hookFrom && at < hookTo) wordHook(at, value);
  if (trace !== null) trace('poke', at, value, site);
  if (hashing) changeWord(at, memory[at] as number, value);
  mark(at);
  memory[at] = value;
  return 0;
}

export function load(_words: Words, at: number, site = 0): number {
  return pend(T.LOAD, at, 0, 0, site);
}

export function store(_words: Words, at: number, value: number, site = 0): number {
  return pend(T.STORE, at, value, 0, site);
}

export function exchange(_words: Words, at: number, value: number, site = 0): number {
  return pend(T.EXCHANGE, at, value, 0, site);
}

export function compareExchange(
  _words: Words,
  at: number,
  expected: number,
  replacement: number,
  site = 0,
): number {
  return pend(T.COMPARE_EXCHANGE, at, expected, replacement, site);
}

export function add(_words: Words, at: number, amount: number, site = 0): number {
  return pend(T.ADD, at, amount, 0, site);
}

export function or(_words: Words, at: number, bits: number, site = 0): number {
  return pend(T.OR, at, bits, 0, site);
}

export function and(_words: Words, at: number, bits: number, site = 0): number {
  return pend(T.AND, at, bits, 0, site);
}

export function wait(_w: Words, at: number, expected: number, _ms: number, site = 0): boolean {
  return pend(T.WAIT, at, expected, 0, site) as unknown as boolean;
}

export function notify(_words: Words, at: number, count: number, site = 0): number {
  return pend(T.NOTIFY, at, count, 0, site);
}

export function pause(site = 0): number {
  return pend(T.PAUSE, -1, 0, 0, site);
}

/** A program's poll: the word's value, or `seen`, the older value that it read last. */
export function weakLoad(_words: Words, at: number, seen: number, site = 0): number {
  return pend(T.WEAK_LOAD, at, seen, 0, site);
}

/** A program's load through a translation: the word at `at` of the machine. */
export function userLoad(_words: Words, at: number, vpn: number, site = 0): number {
  return pend(T.USER_LOAD, at, vpn, 0, site);
}

export function userStore(_w: Words, at: number, vpn: number, value: number, site = 0): number {
  return pend(T.USER_STORE, at, vpn, value, site);
}

/** The host ends the Worker of a condemned CPU. */
export function endCpu(id: number, site = 0): number {
  return pend(T.END_CPU, -1, id, 0, site);
}

/** Runs what a call of an ambiguous method returned: to its end if it is a generator's start. */
export function* delegate(result: unknown): Generator<number, unknown, number> {
  if (!isGenerator(result)) return result;
  return yield* result;
}

export { changed, enter, leave, somethingChanged, wrote } from './heap.ts';

export function isGenerator(value: unknown): value is Generator<number, unknown, number> {
  if (typeof value !== 'object' || value === null) return false;
  return (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Generator';
}

/** Performs the pending access of `task`; its result. `old`: a weak load reads the old value. */
export function perform(task: Task, old: boolean): number {
  const { kind, at, site, a } = task;
  if (kind >= T.WAIT) return performOther(task, old);
  const memory = words;
  const before = memory[at] as number;
  if (kind === T.LOAD || (kind === T.COMPARE_EXCHANGE && before !== a)) {
    if (watching) race.acquire(task, at, before, site);
    if (hashing) {
      noteRead(task, at, before);
      noteAcquire(task, at);
    }
    if (trace !== null) trace(kind === T.LOAD ? 'load' : 'compareExchange fails', at, before, site);
    return before;
  }
  if (watching) race.release(task, at, site, kind !== T.STORE);
  const after = valueAfter(kind, before, a, task.b);
  if (hashing) {
    // A store tells nothing but that it is done.
    noteRead(task, at, kind === T.STORE ? T.STORE : before);
    noteRelease(task, at, kind !== T.STORE);
    changeWord(at, before, after);
  }
  mark(at);
  memory[at] = after;
  if (trace !== null) trace(T.KIND_NAMES[kind] as string, at, memory[at], site);
  return before;
}

/** What an ordered write of this kind leaves in a word. */
function valueAfter(kind: number, before: number, a: number, b: number): number {
  if (kind === T.ADD) return (before + a) | 0;
  if (kind === T.OR) return before | a;
  if (kind === T.AND) return before & a;
  return kind === T.COMPARE_EXCHANGE ? b : a;
}

/** Steps that are no ordered access of one word. Sleeping and spinning are the scheduler's. */
function performOther(task: Task, old: boolean): number {
  const { at, site, kind } = task;
  switch (kind) {
    case T.WEAK_LOAD: {
      if (watching) race.weakRead();
      const value = old ? task.a : (words[at] as number);
      if (hashing) noteValue(task, value);
      if (trace !== null) trace(old ? 'poll, old value' : 'poll', at, value, site);
      return value;
    }
    case T.USER_LOAD:
      if (watching) race.userAccess(task, at, site);
      if (hashing) noteValue(task, words[at] as number);
      if (trace !== null) trace('user load', at, words[at] as number, site);
      return words[at] as number;
    case T.USER_STORE:
      if (watching) race.userAccess(task, at, site);
      if (trace !== null) trace('user store', at, task.b, site);
      if (hashing) {
        noteValue(task, kind);
        changeWord(at, words[at] as number, task.b);
      }
      mark(at);
      words[at] = task.b;
      return 0;
    case T.PLAIN_LOAD:
      setCurrent(task, driver);
      return peek(words, at, site);
    case T.PLAIN_STORE:
      setCurrent(task, driver);
      poke(words, at, task.a, site);
      if (hashing) noteValue(task, kind);
      return 0;
    default:
      if (hashing) noteValue(task, kind);
      if (trace !== null) trace(T.KIND_NAMES[kind] as string, at, 0, site);
      return 0;
  }
}
