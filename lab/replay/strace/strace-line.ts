/**
 * A line of strace: who, what, and the result. One object is used for all lines, because there are
 * hundreds of thousands a second; what it says holds until the next line.
 *
 *     [pid|"[pid N]"] [time] name(arguments) = result [errno (text)] [<seconds>]
 *     … name(arguments <unfinished ...>            … <... name resumed>arguments) = result
 *     … --- SIGNAL {…} ---                          … +++ exited with N +++
 */

export type LineKind =
  /** A call with its result. */
  | 'call'
  /** Its beginning, and its end. */
  | 'unfinished'
  | 'resumed'
  | 'signal'
  /** `+++ … +++` */
  | 'end'
  /** A line of `faultline record`. */
  | 'mark'
  /** A stack, a message of strace, or nothing. */
  | 'other'
  /** Not a line of strace. */
  | 'bad';

const TAB = 9;
const SPACE = 32;
const HASH = 35;
const OPEN = 40;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const BRACKET = 91;
const UNDERSCORE = 95;
const LETTER_A = 97;
const LETTER_Z = 122;

const UNFINISHED = ' <unfinished ...>';
const RESUMED = '<... ';
const RESUMED_END = ' resumed>';

export class StraceLine {
  kind: LineKind = 'other';
  /** 0 without one: a recording of a single process. */
  pid = 0;
  /** Of a call, or of a signal. */
  name = '';
  /** What the positions below count in. */
  text = '';
  /** After the parenthesis that opens, or `resumed>`; where the rest of other lines begins. */
  from = 0;
  /** The line's end. */
  to = 0;

  /** Reads [start, end) of `text`. */
  read(text: string, start: number, end: number): void {
    this.text = text;
    this.to = end;
    this.pid = 0;
    this.name = '';
    let at = start;
    if (at >= end) return this.#be('other', at);
    const first = text.charCodeAt(at);
    if (first === HASH) return this.#be('mark', at + 1);
    // A stack of -k.
    if ((first === SPACE || first === TAB) && text.charCodeAt(at + 1) === GREATER)
      return this.#be('other', at);
    if (first === BRACKET && text.startsWith('[pid', at)) {
      at += 4;
      while (text.charCodeAt(at) === SPACE) at++;
      at = this.#pid(at, end);
      if (text.charCodeAt(at) === BRACKET + 2) at++;
    } else if (isDigit(first)) at = this.#pid(at, end);
    at = skipTime(text, at, end);
    this.#rest(at, end);
  }

  #be(kind: LineKind, from: number): void {
    this.kind = kind;
    this.from = from;
  }

  /** Digits that are followed by a space; a time has a point or colon in it. */
  #pid(start: number, end: number): number {
    const { text } = this;
    let at = start;
    let pid = 0;
    for (let code = text.charCodeAt(at); at < end && isDigit(code); code = text.charCodeAt(at)) {
      pid = pid * 10 + code - ZERO;
      at++;
    }
    const next = text.charCodeAt(at);
    if (next === DOT || next === COLON) return start;
    this.pid = pid;
    return at;
  }

  #rest(start: number, end: number): void {
    const { text } = this;
    const first = text.charCodeAt(start);
    if (first >= LETTER_A && first <= LETTER_Z) {
      let at = start + 1;
      while (at < end && isNamePart(text.charCodeAt(at))) at++;
      if (text.charCodeAt(at) !== OPEN || at >= end) {
        return this.#be(text.startsWith('strace: ', start) ? 'other' : 'bad', start);
      }
      this.name = text.slice(start, at);
      const isOpen = text.charCodeAt(end - 1) === GREATER && text.endsWith(UNFINISHED, end);
      if (!isOpen) return this.#be('call', at + 1);
      this.to = end - UNFINISHED.length;
      return this.#be('unfinished', at + 1);
    }
    if (first === LESS && text.startsWith(RESUMED, start)) {
      const nameEnd = text.indexOf(RESUMED_END, start);
      if (nameEnd < 0 || nameEnd >= end) return this.#be('bad', start);
      this.name = text.slice(start + RESUMED.length, nameEnd);
      return this.#be('resumed', nameEnd + RESUMED_END.length);
    }
    if (first === MINUS && text.startsWith('--- ', start)) return this.#be('signal', start + 4);
    if (first === PLUS && text.startsWith('+++ ', start)) return this.#be('end', start + 4);
    this.#be('bad', start);
  }
}

function skipTime(text: string, start: number, end: number): number {
  let at = start;
  for (let round = 0; round < 2; round++) {
    while (at < end && text.charCodeAt(at) === SPACE) at++;
    const before = at;
    for (let code = text.charCodeAt(at); at < end; code = text.charCodeAt(++at)) {
      if (!isDigit(code) && code !== DOT && code !== COLON) break;
    }
    if (at === before) break;
  }
  return at;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function isNamePart(code: number): boolean {
  return (code >= LETTER_A && code <= LETTER_Z) || isDigit(code) || code === UNDERSCORE;
}
