/**
 * Lines about single accesses: of valgrind's lackey (` L 1fff000768,8`) and of perf's page faults
 * (`ls 32229 34836.749231: page-faults:  55c76d0385c0 ffffffff81775dda`).
 */
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { LineSink } from '../text/lines.ts';

/** Kinds of accesses, in the order of their counters. */
export const ACCESS_KINDS = ['instructions', 'loads', 'stores', 'modifies', 'faults'] as const;
const INSTRUCTION = 0;
const LOAD = 1;
const STORE = 2;
const MODIFY = 3;
const FAULT = 4;

/** Whether an access of that kind writes. */
export function isWrite(kind: number): boolean {
  return kind === STORE || kind === MODIFY;
}

/** Told of each access: whose, of what kind, to which page, where in it, how many bytes. */
export type AccessSink = (
  space: number,
  kind: number,
  vpn: number,
  offset: number,
  size: number,
  line: number,
) => void;

/** Told of each line that is no access: what it is, `other` for one that belongs to the format. */
export type OtherSink = (text: string, line: number, isBad: boolean) => void;

const SPACE = 32;
const HASH = 35;
const ZERO = 48;
const EQUALS = 61;
const LETTER_I = 73;
const LETTER_L = 76;
const LETTER_M = 77;
const LETTER_S = 83;
const LETTER_A = 97;
/** Digits of an offset in a page, and most digits of an address. */
const OFFSET_DIGITS = 3;
const DIGITS_MAX = 12;
const BAD = -1;

export function lackeyLines(onAccess: AccessSink, onOther: OtherSink): LineSink {
  return (text, start, end, line) => {
    const kind = lackeyKind(text, start);
    const comma = kind === BAD ? -1 : text.indexOf(',', start + 3);
    const digits = comma - start - 3;
    if (comma < 0 || comma >= end || digits <= 0 || digits > DIGITS_MAX) {
      const first = text.charCodeAt(start);
      onOther(text.slice(start, end), line, first !== EQUALS && first !== HASH && end > start);
      return;
    }
    const middle = Math.max(start + 3, comma - OFFSET_DIGITS);
    const vpn = hexIn(text, start + 3, middle);
    const offset = hexIn(text, middle, comma);
    const size = decimalIn(text, comma + 1, end);
    if (vpn >= 0 && offset >= 0 && size > 0) onAccess(0, kind, vpn, offset, size, line);
    else onOther(text.slice(start, end), line, true);
  };
}

function lackeyKind(text: string, start: number): number {
  if (text.charCodeAt(start + 2) !== SPACE) return BAD;
  const first = text.charCodeAt(start);
  if (first === LETTER_I) return INSTRUCTION;
  if (first !== SPACE) return BAD;
  switch (text.charCodeAt(start + 1)) {
    case LETTER_L:
      return LOAD;
    case LETTER_S:
      return STORE;
    case LETTER_M:
      return MODIFY;
    default:
      return BAD;
  }
}

/** A hexadecimal number; -1 for another digit. 0 without digits. */
function hexIn(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    const digit = code < LETTER_A ? code - ZERO : code - LETTER_A + 10;
    if (digit < 0 || digit > 15 || (code > ZERO + 9 && code < LETTER_A)) return BAD;
    value = value * 16 + digit;
  }
  return value;
}

function decimalIn(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return BAD;
    value = value * 10 + digit;
  }
  return value;
}

const PERF_LINE =
  /(?:\s|^)(\d+)(?:\/\d+)?\s+(?:\[\d+\]\s+)?[\d.]+:.*?page-faults[^:]*(?::\w*)?:\s+([0-9a-f]+)/;

/** Each process is a space; without `pid` in perf's fields, each thread. */
export function perfLines(onAccess: AccessSink, onOther: OtherSink): LineSink {
  return (text, start, end, line) => {
    const content = text.slice(start, end);
    const [, pid, digits] = PERF_LINE.exec(content) ?? [];
    const address = digits === undefined ? NaN : parseInt(digits, 16);
    if (pid === undefined || !(address < 2 ** 47)) {
      onOther(content, line, content.trim() !== '' && !content.startsWith('#'));
      return;
    }
    const vpn = Math.floor(address / PAGE_SIZE);
    onAccess(Number(pid), FAULT, vpn, address % PAGE_SIZE, 1, line);
  };
}
