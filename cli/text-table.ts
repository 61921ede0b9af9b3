/** Plain-text tables: columns aligned, two spaces apart, no lines drawn. */

/**
 * `alignment` has a letter a column: l or r. Trailing spaces are left out. A header may have
 * several lines.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  alignment: string,
): string {
  const headerLines = Math.max(...header.map((cell) => cell.split('\n').length));
  const heads = Array.from({ length: headerLines }, (_, line) =>
    header.map((cell) => cell.split('\n')[line] ?? ''),
  );
  const lines = [...heads, ...rows];
  const widths = header.map((_, i) => Math.max(...lines.map((cells) => (cells[i] ?? '').length)));
  const format = (cell: string, i: number): string =>
    alignment[i] === 'r' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
  return lines.map((cells) => cells.map(format).join('  ').trimEnd()).join('\n');
}

/** Lines of at most `columns`, broken at spaces; those after the first begin with `indent`. */
export function wrapText(text: string, columns: number, indent: string): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > indent.length ? space : columns;
    lines.push(rest.slice(0, end).trimEnd());
    rest = indent + rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

/** Where the words of a report are explained: its line for people. */
export const TERMS_LINE = 'terms: docs/glossary.md';

/** 1234567 as '1,234,567', the same in every locale. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** Three significant digits: '850 us', '1.24 ms', '3.10 s'. */
export function formatMicroseconds(us: number): string {
  const [value, unit] = us < 1000 ? [us, 'us'] : us < 1e6 ? [us / 1000, 'ms'] : [us / 1e6, 's'];
  const decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(decimals)} ${unit}`;
}
