/** Text made of pieces of a source, which knows the source's line for each of its own. */
import type { LineMap } from '../build/line-map.ts';
import type { Edit } from './change.ts';

/** An edit whose text may itself be made of the source. */
export interface TrackedEdit extends Omit<Edit, 'text'> {
  readonly text: string | Tracked;
}

export interface Tracked {
  readonly text: string;
  /** Line of the source, from 0, at the end of each line of the text but the last. */
  readonly lines: readonly number[];
}

/** [start, end) of the source with the edits, which lie in it apart from each other. */
export function edited(
  source: string,
  start: number,
  end: number,
  edits: readonly TrackedEdit[],
): Tracked {
  const parts: string[] = [];
  const lines: number[] = [];
  let line = countLines(source, 0, start);
  let from = start;
  const copy = (to: number): void => {
    const piece = source.slice(from, to);
    parts.push(piece);
    for (let i = piece.indexOf('\n'); i >= 0; i = piece.indexOf('\n', i + 1)) lines.push(line++);
    from = to;
  };
  // Stable: of two insertions at one place the first comes first.
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    copy(edit.start);
    const text = typeof edit.text === 'string' ? edit.text : edit.text.text;
    parts.push(text);
    if (typeof edit.text !== 'string') lines.push(...edit.text.lines);
    else for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) lines.push(line);
    line += countLines(source, edit.start, edit.end);
    from = edit.end;
  }
  copy(end);
  return { text: parts.join(''), lines };
}

/** The source map (version 3, as JSON) of the text, when `map` is that of its source. */
export function mapOf({ lines }: Tracked, map: LineMap): string {
  let original = 0;
  const mappings = [...lines, map.length - 1].map((line) => {
    let column = 0;
    return (map[line] ?? [])
      .map(([start, to]) => {
        const fields = [start - column, 0, to - 1 - original, 0];
        column = start;
        original = to - 1;
        return fields.map(encodeVlq).join('');
      })
      .join(',');
  });
  return JSON.stringify({ version: 3, mappings: mappings.join(';') });
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function encodeVlq(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return text;
}

function countLines(source: string, from: number, to: number): number {
  let count = 0;
  for (let i = source.indexOf('\n', from); i >= 0 && i < to; i = source.indexOf('\n', i + 1)) {
    count++;
  }
  return count;
}
