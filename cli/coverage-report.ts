/** The coverage of conflicts as a table, and as the kernel's source with notes. */
import type { PlaceCoverage } from '../lab/explore/coverage.ts';
import { escapeHtml } from '../lab/explore/engine/escape-html.ts';

interface Row {
  readonly file: string;
  readonly ordered: number;
  readonly executed: number;
  readonly contested: number;
}

function fileOf({ place }: PlaceCoverage): string {
  return place.slice(0, place.lastIndexOf(':'));
}

function rowOf(file: string, places: readonly PlaceCoverage[]): Row {
  return {
    file,
    ordered: places.length,
    executed: places.filter(({ isExecuted }) => isExecuted).length,
    contested: places.filter(({ partners }) => partners.length > 0).length,
  };
}

function byFile(places: readonly PlaceCoverage[]): Map<string, PlaceCoverage[]> {
  const files = new Map<string, PlaceCoverage[]>();
  for (const place of places)
    files.set(fileOf(place), [...(files.get(fileOf(place)) ?? []), place]);
  return files;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** A line for each file, all files together, and the accesses that nothing contested. */
export function formatCoverage(places: readonly PlaceCoverage[]): string {
  const rows = [...byFile(places)].map(([file, inFile]) => rowOf(file, inFile));
  const width = Math.max(...rows.map(({ file }) => file.length), 'all'.length);
  const line = ({ file, ordered, executed, contested }: Row): string =>
    [
      file.padEnd(width),
      String(ordered).padStart(8),
      String(executed).padStart(9),
      String(contested).padStart(10),
      percent(contested, ordered).padStart(8),
    ].join('');
  const missing = places.filter(({ partners }) => partners.length === 0);
  return [
    `${''.padEnd(width)} ordered executed contested`,
    ...rows.map(line),
    line(rowOf('all', places)),
    ...(missing.length === 0 ? [] : ['', 'not contested:']),
    ...missing.map(({ place, caller, access, isExecuted }) => {
      return `  ${place} ${access} in ${caller}${isExecuted ? '' : ', never executed'}`;
    }),
  ].join('\n');
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --soft: #6b6b6b;
  --good: #e3f3e6; --bad: #fdecea; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181c; --soft: #9aa0a6; --good: #17301c; --bad: #3b1f1d; }
}
body { font: 14px/1.4 system-ui, sans-serif; margin: 1em auto; padding: 0 1em; max-width: 110ch;
  color: var(--ink); background: var(--paper); }
pre { font: 12px/1.5 ui-monospace, monospace; overflow-x: auto; }
summary { cursor: pointer; padding: 4px 0; overflow-wrap: anywhere; }
.good { background: var(--good); } .bad { background: var(--bad); }
.note { color: var(--soft); display: block; padding-left: 6ch; white-space: pre-wrap; }
`;

/** The kernel's source, each ordered access with what contests it. `read` gives a file's text. */
export function coverageHtml(
  places: readonly PlaceCoverage[],
  read: (path: string) => string | null,
): string {
  const parts: string[] = [];
  for (const [file, inFile] of byFile(places)) {
    const { ordered, contested } = rowOf(file, inFile);
    const lines = (read(file) ?? '').split('\n').map((text, index) => {
      const here = inFile.filter(({ place }) => place === `${file}:${index + 1}`);
      return annotated(text, index + 1, here);
    });
    parts.push(
      `<details><summary>${file}: ${contested} of ${ordered} contested</summary>` +
        `<pre>${lines.join('\n')}</pre></details>`,
    );
  }
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coverage of conflicts</title><style>${STYLE}</style></head>
<body><h1>Coverage of conflicts</h1>
<p>Each ordered access of the kernel, and the accesses of another CPU that were explored in conflict
with it. ${places.filter(({ partners }) => partners.length > 0).length} of ${places.length} are
contested.</p>
${parts.join('\n')}
</body></html>
`;
}

function annotated(text: string, line: number, here: readonly PlaceCoverage[]): string {
  const shown = `${String(line).padStart(4)}  ${escapeHtml(text)}`;
  if (here.length === 0) return shown;
  const isGood = here.every(({ partners }) => partners.length > 0);
  const notes = here.map(({ access, partners, isExecuted }) => {
    const against = isExecuted ? partners.join(', ') || 'nothing contests it' : 'never executed';
    return `<span class="note">${access}: ${escapeHtml(against)}</span>`;
  });
  return `<span class="${isGood ? 'good' : 'bad'}">${shown}</span>${notes.join('')}`;
}
