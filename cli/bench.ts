/**
 * `faultline bench`: what the user asked for, measured and reported. With --json one document and
 * nothing else goes to stdout.
 */
import { writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { formatCsv } from '../lab/bench/csv.ts';
import type { BenchDocument } from '../lab/bench/results.ts';
import { runBenchmarks } from '../lab/bench/runner.ts';
import type { Contestant } from '../lab/bench/runner.ts';
import { startBenchProgress } from './bench-progress.ts';
import { formatBench } from './bench-report.ts';
import { asksForFloors, parseBench } from './bench-request.ts';
import { loadForCounting } from './bench-protocol.ts';
import type { BenchRequest } from './bench-request.ts';
import { loadModule } from './load-module.ts';
import type { LoadedModule } from './bundle-module.ts';

/** Returns the exit status. */
export async function bench(args: readonly string[]): Promise<number> {
  if (asksForFloors(args)) return (await import('./bench-floors.ts')).benchFloors(args);
  const request = parseBench(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  // Before the measurement: a file that cannot be written must not cost minutes first.
  for (const path of [request.csv, request.html]) if (path !== null) writeFileSync(path, '');
  const document = await measure(request);
  if (request.csv !== null) writeFileSync(request.csv, formatCsv(document));
  if (request.html !== null) {
    const { formatHtml } = await import('../lab/bench/html.ts');
    writeFileSync(request.html, formatHtml(document));
  }
  console.log(request.json ? JSON.stringify(document, null, 2) : formatBench(document));
  return document.violations.length === 0 ? 0 : 1;
}

async function measure({ options, protocols }: BenchRequest): Promise<BenchDocument> {
  const loaded: LoadedModule[] = [];
  const progress = startBenchProgress();
  try {
    const contestants: Contestant[] = [];
    for (const protocol of protocols) {
      if (extname(protocol) === '') {
        contestants.push({ name: protocol, protocol, countingProtocol: protocol });
        continue;
      }
      const module = await loadModule(protocol);
      loaded.push(module);
      const counting = options.count ? await loadForCounting(protocol) : null;
      if (counting !== null) loaded.push(counting);
      contestants.push({
        name: basename(protocol),
        protocol: module.url.href,
        countingProtocol: counting?.url.href ?? null,
      });
    }
    return await runBenchmarks(options, contestants, progress.show);
  } finally {
    progress.stop();
    for (const module of loaded) await module.dispose();
  }
}
