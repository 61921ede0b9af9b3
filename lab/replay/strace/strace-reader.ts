/**
 * From lines of strace to calls: joins those that other processes' lines have split, and gives
 * every line to the process that it is of.
 */
import { CallText, numberAt } from './call-text.ts';
import { StraceLine } from './strace-line.ts';

/** Told what is read, in the file's order. */
export interface StraceSink {
  /** A call has returned; it began in line `beganAt`. */
  call(pid: number, name: string, call: CallText, beganAt: number, line: number): void;
  /** A call that is split has begun. Its arguments are complete, its result is not known. */
  begun(pid: number, name: string, call: CallText, line: number): void;
  /** A signal: what is between the dashes. */
  signal(pid: number, text: string, line: number): void;
  /** An end: what is between the plus signs. */
  end(pid: number, text: string, line: number): void;
  /** A line of `faultline record`, without the hash. */
  mark(text: string, line: number): void;
}

/** Lines that say nothing to anyone. */
export interface Skipped {
  count: number;
  /** The number of the first, 0 for none. */
  first: number;
}

function skipped(): Skipped {
  return { count: 0, first: 0 };
}

function skip(counter: Skipped, line: number): void {
  counter.count++;
  if (counter.first === 0) counter.first = line;
}

interface Pending {
  readonly name: string;
  readonly head: string;
  readonly line: number;
}

/** Calls that may be split at a time, and characters that are kept of each. */
const PENDING_MAX = 8192;
const HEAD_MAX = 65536;
/** Names that are counted one by one. */
const NAMES_MAX = 1024;
/** What a head lacks to be read as a call. */
const TAIL = ') = ?';
const ATTACHED = /strace: Process (\d+) attached$/;
/** How such a notice ends. */
const NOTICE_END = ' attached';

export class StraceReader {
  /** Calls that have been read, of any name. */
  calls = 0;
  /** Lines that are not strace's, or not complete. */
  readonly bad: Skipped = skipped();
  /** Calls that `wanted` leaves out, by name. */
  readonly others: Map<string, number> = new Map();
  readonly #sink: StraceSink;
  readonly #wanted: ReadonlySet<string>;
  readonly #line = new StraceLine();
  readonly #call = new CallText();
  readonly #pending = new Map<number, Pending>();
  /** Strace's notices name children; any other new number is what the first process has by now. */
  readonly #attached = new Set<number>();
  /** The beginning of a line that a notice has broken. */
  #broken = '';
  #hasUnnumbered = false;
  #firstPid = 0;

  constructor(sink: StraceSink, wanted: ReadonlySet<string>) {
    this.#sink = sink;
    this.#wanted = wanted;
  }

  /** A LineSink. On a terminal, strace prints its notices into the midst of lines. */
  readonly read = (text: string, start: number, end: number, number: number): void => {
    if (this.#broken !== '') {
      const whole = this.#broken + text.slice(start, end);
      this.#broken = '';
      this.#read(whole, 0, whole.length, number);
    } else this.#read(text, start, end, number);
  };

  #read(text: string, start: number, end: number, number: number): void {
    if (text.endsWith(NOTICE_END, end) && this.#notice(text.slice(start, end))) return;
    const line = this.#line;
    line.read(text, start, end);
    switch (line.kind) {
      case 'call':
        this.calls++;
        if (!this.#wanted.has(line.name)) this.#count(line.name);
        else if (this.#call.split(text, line.from, line.to)) {
          this.#sink.call(this.#who(line.pid), line.name, this.#call, number, number);
        } else skip(this.bad, number);
        return;
      case 'unfinished':
        this.#begin(this.#who(line.pid), number);
        return;
      case 'resumed':
        this.#resume(this.#who(line.pid), number);
        return;
      case 'signal':
        this.#sink.signal(this.#who(line.pid), text.slice(line.from, line.to), number);
        return;
      case 'end':
        this.#sink.end(this.#who(line.pid), text.slice(line.from, line.to), number);
        this.#pending.delete(this.#who(line.pid));
        return;
      case 'mark':
        this.#sink.mark(text.slice(line.from, line.to), number);
        return;
      case 'other':
        return;
      case 'bad':
        skip(this.bad, number);
    }
  }

  /**
   * On a terminal, strace prints numbers only while there are several processes. 0 stays the first
   * one's name.
   */
  #who(pid: number): number {
    if (pid === 0) this.#hasUnnumbered = true;
    else if (this.#hasUnnumbered && this.#firstPid === 0 && !this.#attached.has(pid)) {
      this.#firstPid = pid;
    }
    return pid === this.#firstPid ? 0 : pid;
  }

  /** Whether the text ends in a notice; what stands before it is the beginning of a line. */
  #notice(text: string): boolean {
    const found = ATTACHED.exec(text);
    if (found === null) return false;
    if (this.#attached.size < PENDING_MAX) this.#attached.add(Number(found[1]));
    if (found.index <= HEAD_MAX) this.#broken = text.slice(0, found.index);
    return true;
  }

  #count(name: string): void {
    const before = this.others.get(name);
    if (before !== undefined || this.others.size < NAMES_MAX) {
      this.others.set(name, (before ?? 0) + 1);
    }
  }

  #begin(pid: number, number: number): void {
    const { name, text, from, to } = this.#line;
    if (this.#pending.size >= PENDING_MAX || to - from > HEAD_MAX) {
      skip(this.bad, number);
      return;
    }
    const isWanted = this.#wanted.has(name);
    const head = isWanted ? text.slice(from, to) : '';
    this.#pending.set(pid, { name, head, line: number });
    if (!isWanted) return;
    const whole = head + TAIL;
    if (this.#call.split(whole, 0, whole.length)) {
      this.#sink.begun(pid, name, this.#call, number);
    }
  }

  #resume(pid: number, number: number): void {
    const { name, text, from, to } = this.#line;
    const pending = this.#takePending(pid, name);
    if (pending === null || pending.name !== name) {
      skip(this.bad, number);
      return;
    }
    this.calls++;
    if (!this.#wanted.has(name)) {
      this.#count(name);
      return;
    }
    const whole = pending.head + text.slice(from, to);
    if (this.#call.split(whole, 0, whole.length)) {
      this.#sink.call(pid, name, this.#call, pending.line, number);
    } else skip(this.bad, number);
  }

  #takePending(pid: number, name: string): Pending | null {
    const pending = this.#pending.get(pid);
    if (pending !== undefined) {
      this.#pending.delete(pid);
      return pending;
    }
    // A thread that called execve goes on under its leader's number.
    if (name !== 'execve' && name !== 'execveat') return null;
    for (const [other, call] of this.#pending) {
      if (call.name !== name) continue;
      this.#pending.delete(other);
      return call;
    }
    return null;
  }
}

const SUPERSEDED = /^superseded by execve in pid (\d+)/;

/** The thread that goes on under this number (`+++ superseded by execve in pid N +++`), or null. */
export function supersededBy(text: string): number | null {
  const pid = SUPERSEDED.exec(text)?.[1];
  return pid === undefined ? null : Number(pid);
}

/** A field such as `si_addr=0x10` of what strace prints in braces; NaN without it. */
export function fieldIn(text: string, name: string): number {
  const at = text.indexOf(`${name}=`);
  return at < 0 ? NaN : numberAt(text, at + name.length + 1, text.length);
}
