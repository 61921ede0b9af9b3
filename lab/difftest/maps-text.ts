/** Reading /proc/PID/maps: areas, the gaps between them, and what lies in a window. */
import { PAGE_SIZE } from '../../shared/limits.ts';

export interface MapsLine {
  readonly start: number;
  readonly end: number;
  readonly permissions: string;
  readonly offset: string;
  readonly name: string;
}

const SPACE = 32;
const DASH = 45;
const DIGIT_0 = 48;
const LETTER_A = 97;

/**
 * The lines of areas that overlap [from, to); a last line without a newline is left out. Written
 * for speed: the host's text has hundreds of lines, and is read after every call.
 */
export function parseMaps(text: string, from = 0, to: number = Infinity): MapsLine[] {
  const lines: MapsLine[] = [];
  let value = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DASH) {
      start = value;
      value = 0;
    } else if (code !== SPACE) {
      value = value * 16 + code - (code < LETTER_A ? DIGIT_0 : LETTER_A - 10);
    } else {
      if (start >= to) break;
      const lineEnd = text.indexOf('\n', i);
      if (lineEnd < 0) break;
      if (value > from) lines.push(parseRest(text.slice(i + 1, lineEnd), start, value));
      i = lineEnd;
      value = 0;
    }
  }
  return lines;
}

/** From the permissions on: `rw-p 00000000 fe:00 260689   /usr/bin/node`. */
function parseRest(rest: string, start: number, end: number): MapsLine {
  const [permissions = '', offset = '', , , ...name] = rest.split(/ +/);
  return { start, end, permissions, offset, name: name.join(' ') };
}

export interface Placed {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The ranges of [from, to) that neither a line nor a window covers, ascending. */
export function gapsBetween(
  lines: readonly MapsLine[],
  windows: readonly Placed[],
  from: number,
  to: number,
): [number, number][] {
  const taken = [...lines.map(takenBy), ...windows].sort((a, b) => a.start - b.start);
  const gaps: [number, number][] = [];
  let at = from;
  for (const { start, end } of taken) {
    if (start >= to) break;
    if (start > at) gaps.push([at, start]);
    at = Math.max(at, end);
  }
  if (at < to) gaps.push([at, to]);
  return gaps;
}

/** The stack keeps a gap below it, in which nothing is placed: Linux's stack_guard_gap. */
const STACK_GUARD_GAP = 256 * PAGE_SIZE;

function takenBy({ start, end, name }: MapsLine): { start: number; end: number } {
  return { start: name === '[stack]' ? start - STACK_GUARD_GAP : start, end };
}

/** Lines as both sides can show them: cut to the window, addresses relative to it. */
export function linesIn(lines: readonly MapsLine[], window: Placed): string[] {
  const texts: string[] = [];
  for (const line of lines) {
    if (line.end <= window.start || line.start >= window.end) continue;
    const from = hex(Math.max(line.start, window.start) - window.start);
    const to = hex(Math.min(line.end, window.end) - window.start);
    const name = line.name === '[heap]' ? '' : line.name.replace(/^.*\/faultline-[^/]*/, '');
    texts.push(`${window.name} ${from}-${to} ${line.permissions} ${line.offset} ${name}`.trimEnd());
  }
  return texts;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
