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
const COMMA = 44;
const ZERO = 48;
const EQUALS = 61;
const LETTER_I = 73;
const LETTER_L = 76;
const LETTER_M = 77;
const LETTER_S = 83;
/** What a program may have on x86-64, and more than anything here can hold. */
export const ADDRESS_END: number = 2 ** 47;
const NO_DIGIT = 16;
/** Values of hexadecimal digits, by their codes. */
export const HEX: Uint8Array = new Uint8Array(256).fill(NO_DIGIT);
for (let value = 0; value < 16; value++) HEX[value.toString(16).charCodeAt(0)] = value;
const BAD = -1;

export function lackeyLines(onAccess: AccessSink, onOther: OtherSink): LineSink {
  return (text, start, end, line) => {
    const kind = lackeyKind(text, start);
    let address = 0;
    let at = start + 3;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === COMMA) break;
      const digit = code < HEX.length ? (HEX[code] as number) : NO_DIGIT;
      address = digit < 16 ? address * 16 + digit : NaN;
    }
    const size = decimalIn(text, at + 1, end);
    const isAccess = kind !== BAD && at > start + 3 && size > 0 && address < ADDRESS_END;
    if (isAccess) {
      const vpn = Math.floor(address / PAGE_SIZE);
      onAccess(0, kind, vpn, address - vpn * PAGE_SIZE, size, line);
      return;
    }
    const first = text.charCodeAt(start);
    onOther(text.slice(start, end), line, first !== EQUALS && first !== HASH && end > start);
  };
}

function lackeyKind(text: string, start: number): number {
  if (text.charCodeAt(start + 2) !== SPACE) return BAD;
  return kindOfBytes(text.charCodeAt(start), text.charCodeAt(start + 1));
}

/** By the first two characters of a line; -1 for others. */
export function kindOfBytes(first: number, second: number): number {
  if (first === LETTER_I) return second === SPACE ? INSTRUCTION : BAD;
  if (first !== SPACE) return BAD;
  switch (second) {
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
    if (pid === undefined || !(address < ADDRESS_END)) {
      onOther(content, line, content.trim() !== '' && !content.startsWith('#'));
      return;
    }
    const vpn = Math.floor(address / PAGE_SIZE);
    onAccess(Number(pid), FAULT, vpn, address % PAGE_SIZE, 1, line);
  };
}
