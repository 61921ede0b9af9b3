/**
 * From a position in generated JavaScript to the line of the TypeScript that it came from: decodes
 * the "mappings" of a source map (version 3) with one source.
 */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** For each generated line its segments {generated column, original line}, columns ascending. */
export type LineMap = readonly (readonly (readonly [number, number])[])[];

export function decodeLineMap(mapJson: string): LineMap {
  const { mappings } = JSON.parse(mapJson) as { mappings: string };
  let originalLine = 0;
  return mappings.split(';').map((line) => {
    let column = 0;
    const segments: [number, number][] = [];
    for (const segment of line.split(',')) {
      if (segment === '') continue;
      const fields = decodeVlq(segment);
      column += fields[0] ?? 0;
      if (fields.length < 4) continue;
      originalLine += fields[2] ?? 0;
      segments.push([column, originalLine + 1]);
    }
    return segments;
  });
}

/** The original line of a generated position; both lines count from 1, the column from 0. */
export function originalLine(map: LineMap, line: number, column: number): number {
  let found = 0;
  for (const [start, original] of map[line - 1] ?? []) {
    if (start > column) break;
    found = original;
  }
  return found;
}

function decodeVlq(text: string): number[] {
  const values: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    values.push((value & 1) !== 0 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return values;
}
