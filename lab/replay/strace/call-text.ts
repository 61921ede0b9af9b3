/** A call as strace prints it: its arguments and its result, as positions in a line. */
const SPACE = 32;
const QUOTE = 34;
const OPEN = 40;
const STAR = 42;
const MINUS = 45;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;
const LESS = 60;
const GREATER = 62;
const BRACKET = 91;
const BACKSLASH = 92;
const LETTER_A = 97;
const BRACE = 123;

/** Which characters mean something among arguments. */
const STRUCTURE = new Uint8Array(128);
for (const character of '"/<()[]{},') STRUCTURE[character.charCodeAt(0)] = 1;

/** Arguments that are kept of a call. */
const ARGUMENTS_MAX = 16;

/** A call's arguments and result, as positions. */
export class CallText {
  text = '';
  /** Arguments. */
  count = 0;
  readonly #bounds = new Int32Array(2 * ARGUMENTS_MAX);
  /** After `= `; the line's end, if the call did not return. */
  resultFrom = 0;
  to = 0;

  /** Takes the arguments from `from` on apart. False for a line that is not complete. */
  split(text: string, from: number, to: number): boolean {
    this.text = text;
    this.to = to;
    this.count = 0;
    let depth = 0;
    let start = from;
    for (let at = from; at < to; at++) {
      const code = text.charCodeAt(at);
      if (code < STRUCTURE.length && STRUCTURE[code] === 0) continue;
      switch (code) {
        case QUOTE:
          at = endOfString(text, at, to);
          break;
        case SLASH:
          if (text.charCodeAt(at + 1) === STAR) at = endOfComment(text, at, to);
          break;
        case LESS:
          at = endOfAngle(text, at, to);
          break;
        case OPEN:
        case BRACKET:
        case BRACE:
          depth++;
          break;
        case BRACE + 2:
        case BRACKET + 2:
          depth--;
          break;
        case OPEN + 1:
          if (--depth >= 0) break;
          if (at > from) this.#add(start, at);
          return this.#result(at + 1);
        case STAR + 2:
          if (depth > 0) break;
          this.#add(start, at);
          start = at + 2;
      }
    }
    return false;
  }

  #add(start: number, end: number): void {
    if (this.count >= ARGUMENTS_MAX) return;
    this.#bounds[2 * this.count] = start;
    this.#bounds[2 * this.count + 1] = end;
    this.count++;
  }

  #result(from: number): boolean {
    const { text, to } = this;
    let at = from;
    while (at < to && text.charCodeAt(at) === SPACE) at++;
    if (at + 1 >= to || text.charCodeAt(at) !== GREATER - 1) return false;
    this.resultFrom = at + 2;
    return true;
  }

  /** Argument `index` as text, '' if there is none. */
  argument(index: number): string {
    if (index >= this.count) return '';
    return this.text.slice(this.#bounds[2 * index], this.#bounds[2 * index + 1]);
  }

  /** Argument `index` as a number: decimal, hexadecimal, NULL, a descriptor with its path. */
  number(index: number): number {
    if (index >= this.count) return NaN;
    const from = this.#bounds[2 * index] as number;
    return numberAt(this.text, from, this.#bounds[2 * index + 1] as number);
  }

  /** The value returned; NaN for `?`. */
  get result(): number {
    return numberAt(this.text, this.resultFrom, this.to);
  }

  /** The errno's name after -1; '' for success. */
  get errno(): string {
    const { text, resultFrom } = this;
    if (!text.startsWith('-1 E', resultFrom)) return '';
    let at = resultFrom + 4;
    while (at < this.to && text.charCodeAt(at) !== SPACE) at++;
    return text.slice(resultFrom + 3, at);
  }

  /** The path after a descriptor (-y), '' without one; -1: the result's. */
  path(index: number): string {
    const from = index < 0 ? this.resultFrom : (this.#bounds[2 * index] as number);
    const to = index < 0 ? this.to : (this.#bounds[2 * index + 1] as number);
    if (index >= this.count) return '';
    let at = from;
    while (at < to && (isDigit(this.text.charCodeAt(at)) || this.text[at] === '-')) at++;
    if (this.text.charCodeAt(at) !== LESS) return '';
    return this.text.slice(at + 1, endOfAngle(this.text, at, to));
  }
}

/** The number that begins at `from`, after spaces; NaN if none does. */
export function numberAt(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && text.charCodeAt(at) === SPACE) at++;
  const first = text.charCodeAt(at);
  if (first === ZERO && text.charCodeAt(at + 1) === 120) return hexAt(text, at + 2, to);
  const isNegative = first === MINUS;
  if (isNegative) at++;
  const begin = at;
  let value = 0;
  for (let code = text.charCodeAt(at); at < to && isDigit(code); code = text.charCodeAt(++at)) {
    value = value * 10 + code - ZERO;
  }
  if (at === begin) return !isNegative && text.startsWith('NULL', at) ? 0 : NaN;
  return isNegative ? -value : value;
}

function hexAt(text: string, from: number, to: number): number {
  let value = 0;
  let at = from;
  for (; at < to; at++) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) value = value * 16 + code - ZERO;
    else if (code >= LETTER_A && code < LETTER_A + 6) value = value * 16 + code - LETTER_A + 10;
    else break;
  }
  return at === from ? NaN : value;
}

function endOfString(text: string, start: number, to: number): number {
  let at = start + 1;
  for (; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) break;
  }
  return at;
}

function endOfComment(text: string, start: number, to: number): number {
  const end = text.indexOf('*/', start);
  return end < 0 || end >= to ? to : end + 1;
}

/** Of `<path>` behind a descriptor, or of `<<`. An arrow inside (`->`) does not end it. */
function endOfAngle(text: string, start: number, to: number): number {
  if (text.charCodeAt(start + 1) === LESS) return start + 1;
  let at = start + 1;
  for (; at < to; at++) {
    if (text.charCodeAt(at) === GREATER && text.charCodeAt(at - 1) !== MINUS) break;
  }
  return at;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
