/**
 * Results as one HTML file: charts, tables and the host's facts. Script and style are inlined, so
 * it opens without a network.
 */
import { readFileSync } from 'node:fs';
import type { BenchDocument } from '../document.ts';
import { colorOf, gridsOf } from './charts.ts';
import type { ChartGrid } from './charts.ts';
import { describeHost } from './describe.ts';
import { changesTable, notesOf, tablesOf } from './tables.ts';
import type { ReportTable } from './tables.ts';

export function formatHtml(document: BenchDocument): string {
  const { violations, options, changes } = document;
  const verdict =
    violations.length === 0 ? '' : `<pre class="bad">${text(violations.join('\n'))}</pre>`;
  const tables = [...tablesOf(document), ...(changes === null ? [] : [changesTable(changes)])];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>faultline bench</title>
<style>${built('bench-style.css')}</style>
</head>
<body>
<h1>faultline bench: ${text(options.suites.join(', '))}</h1>
<pre>${text(describeHost(document).join('\n'))}</pre>
${verdict}
${formatCharts(options.protocols, gridsOf(document))}
<h2>All results</h2>
${notesOf(document)
  .map((note) => `<p>${text(note)}</p>`)
  .join('\n')}
<div class="scroll">
${tables.map(formatHtmlTable).join('\n')}
</div>
</body>
</html>
`;
}

function formatCharts(protocols: readonly string[], grids: readonly ChartGrid[]): string {
  if (grids.length === 0) return '';
  const legend = protocols.map((name) => {
    const line = `<i style="background: var(${colorOf(protocols, name)})"></i>`;
    return `<span>${line}${text(name)}</span>`;
  });
  const charts = JSON.stringify(grids.flatMap((grid) => grid.charts));
  return `<div class="legend">${legend.join('')}</div>
${grids.map(formatGrid).join('\n')}
<script type="application/json" id="charts">${charts.replaceAll('<', '\\u003c')}</script>
<script>${built('web/uplot.js')}</script>
<script>${built('bench-page.js')}</script>`;
}

function formatGrid({ title, note, columns, charts }: ChartGrid): string {
  const cells = charts.map(({ title, xLabel, yLabel }) => {
    const label = `${title}: ${yLabel} by ${xLabel}`;
    const target = `<div role="img" aria-label="${text(label)}"></div>`;
    return `<div class="chart"><h3>${text(title)}</h3>${target}</div>`;
  });
  return `<h2>${text(title)}</h2>
<p>${text(note)}</p>
<div class="charts" style="--columns: ${columns}">${cells.join('\n')}</div>`;
}

/** What the build made of page.css and page.ts; this module is in dist/ as well. */
function built(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

function formatHtmlTable({ title, header, alignment, rows, notes }: ReportTable): string {
  const line = (tag: string, cells: readonly string[]): string => {
    const format = (cell: string, column: number): string =>
      `<${tag} class="${alignment[column] ?? 'l'}">${text(cell)}</${tag}>`;
    return `<tr>${cells.map(format).join('')}</tr>`;
  };
  return `<table><caption>${text(title)}</caption>
<thead>${line('th', header)}</thead>
<tbody>
${rows.map((cells) => line('td', cells)).join('\n')}
</tbody></table>
${notes.length === 0 ? '' : `<pre>${text(notes.join('\n'))}</pre>`}`;
}

function text(raw: string): string {
  return raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
