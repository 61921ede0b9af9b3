/**
 * Results as one HTML file: charts, a table and the host's facts. Script and style are inlined, so
 * it opens without a network.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { colorOf, gridsOf } from './charts.ts';
import type { ChartGrid } from './charts.ts';
import { describeHost, describeHottest, describeSpread } from './describe.ts';
import { PAGE_FUNCTIONS, drawCharts } from './page-script.ts';
import type { BenchDocument, BenchResult } from './results.ts';

const STYLE = `
:root { color-scheme: light; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 24px auto; max-width: 1500px;
  padding: 0 16px; color: #222; background: #fff; }
h1 { font-size: 20px; margin: 0 0 8px; } h2 { font-size: 16px; margin: 28px 0 2px; }
h3 { font-size: 12px; font-weight: 600; margin: 0 0 2px; text-align: center; }
p { margin: 0 0 8px; color: #555; }
pre { background: #f6f6f6; padding: 10px 12px; overflow-x: auto; font-size: 12px; }
.grid { display: grid; gap: 14px 10px; } .cell { min-width: 0; }
@media (max-width: 900px) { .grid { grid-template-columns: repeat(2, 1fr) !important; } }
.legend { position: sticky; top: 0; z-index: 2; background: #fffe; padding: 6px 0; display: flex;
  gap: 18px; border-bottom: 1px solid #ddd; }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: 6px;
  vertical-align: middle; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 12px; }
th, td { padding: 2px 8px; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap; }
th { background: #f6f6f6; } td:nth-child(-n+3), th:nth-child(-n+3), td:last-child, th:last-child {
  text-align: left; }
.bad { color: #b00; font-weight: 600; }
`;

export function formatHtml(document: BenchDocument): string {
  const grids = gridsOf(document);
  const { violations, options } = document;
  const charts = grids.flatMap((grid) => grid.charts);
  const legend = options.protocols.map(
    (name) =>
      `<span><i style="background:${colorOf(options.protocols, name)}"></i>${text(name)}</span>`,
  );
  const verdict =
    violations.length === 0 ? '' : `<pre class="bad">${text(violations.join('\n'))}</pre>`;
  let first = 0;
  const sections = grids.map((grid) => {
    const section = sectionOf(grid, first);
    first += grid.charts.length;
    return section;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>faultline bench</title>
<style>${plotFile('uPlot.min.css')}${STYLE}</style>
</head>
<body>
<h1>faultline bench: ${text(options.suites.join(', '))}</h1>
<pre>${text(describeHost(document).join('\n'))}</pre>
${verdict}
<div class="legend">${legend.join('')}</div>
${sections.join('\n')}
<h2>All results</h2>
<div class="scroll">${tableOf(document.results)}</div>
<!-- uPlot, which draws the charts:
${plotLicence()}-->
<script>${plotFile('uPlot.iife.min.js')}</script>
<script>
${PAGE_FUNCTIONS.join('\n')}
${drawCharts.name}(${JSON.stringify(charts).replaceAll('<', '\\u003c')}, uPlot);
</script>
</body>
</html>
`;
}

function sectionOf({ title, note, columns, charts }: ChartGrid, first: number): string {
  const cells = charts.map((chart, index) => {
    const label = `${chart.title}: ${chart.yLabel} by ${chart.xLabel}`;
    const attributes = `data-chart="${first + index}" role="img" aria-label="${text(label)}"`;
    return `<div class="cell"><h3>${text(chart.title)}</h3><div ${attributes}></div></div>`;
  });
  return `<h2>${text(title)}</h2>
<p>${text(note)}</p>
<div class="grid" style="grid-template-columns: repeat(${columns}, 1fr)">${cells.join('\n')}</div>`;
}

const columns: readonly (readonly [string, (result: BenchResult) => string])[] = [
  ['benchmark', ({ benchmark }) => benchmark],
  ['contention', ({ contention }) => contention],
  ['protocol', ({ protocol }) => protocol],
  ['CPUs', ({ cpus }) => String(cpus)],
  ['ns/op', ({ latencyNs }) => latencyNs.median.toFixed(0)],
  ['min–max', ({ latencyNs }) => describeSpread(latencyNs)],
  ['ops/µs', ({ throughput }) => throughput.median.toFixed(3)],
  ['× CAS', ({ floorRatio }) => floorRatio.toFixed(0)],
  ['lock waits', ({ perOperation }) => perOperation.lockWaits.toFixed(2)],
  ['retries', ({ perOperation }) => perOperation.faultRetries.toFixed(2)],
  ['fallbacks', ({ perOperation }) => perOperation.lockFallbacks.toFixed(2)],
  ['races lost', ({ perOperation }) => perOperation.raceLosses.toFixed(2)],
  ['IPIs', ({ perOperation }) => perOperation.shootdownTargets.toFixed(2)],
  ['shared writes', ({ contended }) => contended?.sharedWrites.toFixed(1) ?? ''],
  ['to shared lines', ({ contended }) => contended?.sharedLineWrites.toFixed(1) ?? ''],
  ['failed CAS', ({ contended }) => contended?.failedExchanges.toFixed(2) ?? ''],
  ['most written shared words', ({ contended }) => describeHottest(contended, 4)],
];

function tableOf(results: readonly BenchResult[]): string {
  const head = columns.map(([name]) => `<th>${text(name)}</th>`).join('');
  const rows = results.map(
    (result) =>
      `<tr>${columns.map(([, value]) => `<td>${text(value(result))}</td>`).join('')}</tr>`,
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
}

function text(raw: string): string {
  return raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function plotFile(name: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8');
}

function plotLicence(): string {
  const manifest = createRequire(import.meta.url).resolve('uplot/package.json');
  return readFileSync(join(dirname(manifest), 'LICENSE'), 'utf8').replaceAll('--', '- -');
}
