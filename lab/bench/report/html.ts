/** Results as one HTML file: charts, tables and the host's facts. It opens without a network. */
import type { BenchDocument } from '../document.ts';
import { colorOf, gridsOf } from './charts.ts';
import type { ChartGrid } from './charts.ts';
import { describeHost } from './describe.ts';
import { formatChart } from './svg.ts';
import { changesTable, legendsOf, tablesOf } from './tables.ts';
import type { ReportTable } from './tables.ts';

const STYLE = `
:root { color-scheme: light; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 24px auto; max-width: 1500px;
  padding: 0 16px; color: #222; background: #fff; }
h1 { font-size: 20px; margin: 0 0 8px; } h2 { font-size: 16px; margin: 28px 0 2px; }
h3 { font-size: 12px; font-weight: 600; margin: 0 0 2px; text-align: center; }
p { margin: 0 0 8px; color: #555; }
pre { background: #f6f6f6; padding: 10px 12px; overflow-x: auto; font-size: 12px; }
.charts { display: grid; gap: 14px 10px; } .chart { min-width: 0; }
@media (max-width: 900px) { .charts { grid-template-columns: repeat(2, 1fr) !important; } }
svg { width: 100%; font: 10px system-ui, sans-serif; text-anchor: middle; }
svg .y { text-anchor: end; dominant-baseline: middle; }
svg .grid { stroke: #e8e8e8; } svg .bar { opacity: 0.6; }
svg polyline { fill: none; stroke-width: 1.5; }
.legend { position: sticky; top: 0; z-index: 2; background: #fffe; padding: 6px 0; display: flex;
  gap: 18px; border-bottom: 1px solid #ddd; }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: 6px;
  vertical-align: middle; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 12px; }
caption { font-weight: 600; text-align: left; padding: 14px 8px 2px; white-space: nowrap; }
th, td { padding: 2px 8px; border-bottom: 1px solid #eee; white-space: nowrap; }
th { background: #f6f6f6; } .l { text-align: left; } .r { text-align: right; }
.bad { color: #b00; font-weight: 600; }
`;

export function formatHtml(document: BenchDocument): string {
  const { violations, options, changes } = document;
  const legend = options.protocols.map((name) => {
    const color = colorOf(options.protocols, name);
    return `<span><i style="background:${color}"></i>${text(name)}</span>`;
  });
  const verdict =
    violations.length === 0 ? '' : `<pre class="bad">${text(violations.join('\n'))}</pre>`;
  const tables = [...tablesOf(document), ...(changes === null ? [] : [changesTable(changes)])];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>faultline bench</title>
<style>${STYLE}</style>
</head>
<body>
<h1>faultline bench: ${text(options.suites.join(', '))}</h1>
<pre>${text(describeHost(document).join('\n'))}</pre>
${verdict}
<div class="legend">${legend.join('')}</div>
${gridsOf(document).map(formatGrid).join('\n')}
<h2>All results</h2>
<p>${legendsOf(document).map(text).join('<br>')}</p>
<div class="scroll">
${tables.map(formatHtmlTable).join('\n')}
</div>
</body>
</html>
`;
}

function formatGrid({ title, note, columns, charts }: ChartGrid): string {
  const cells = charts.map((chart) => {
    return `<div class="chart"><h3>${text(chart.title)}</h3>${formatChart(chart)}</div>`;
  });
  const style = `grid-template-columns: repeat(${columns}, 1fr)`;
  return `<h2>${text(title)}</h2>
<p>${text(note)}</p>
<div class="charts" style="${style}">${cells.join('\n')}</div>`;
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
