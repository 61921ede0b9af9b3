/**
 * `faultline bench`: what the user asked for, measured and reported. With --json one document and
 * nothing else goes to stdout.
 */
import { writeFileSync } from 'node:fs';
import { compareDocuments } from '../lab/bench/document.ts';
import type { BenchDocument, OnProgress } from '../lab/bench/document.ts';
import { formatCsv } from '../lab/bench/report/csv.ts';
import { formatHtml } from '../lab/bench/report/html.ts';
import { runBench } from '../lab/bench/runner.ts';
import { isProtocolSuite } from '../lab/bench/suites.ts';
import { loadCandidates } from './bench-candidates.ts';
import { formatBench } from './bench-report.ts';
import { counted } from './counted.ts';
import { interruptibly } from './interruption.ts';
import { parseBench } from './bench-request.ts';
import type { BenchRequest } from './bench-request.ts';

/** Returns the exit status. */
export async function bench(args: readonly string[]): Promise<number> {
  const request = parseBench(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  const { csv, html, json } = request;
  return interruptibly(async (signal) => {
    const { suites, repeat } = request.options;
    console.error(`bench: ${suites.join(', ')}; ${counted(repeat, 'repetitions')}`);
    const document = await measure(request, signal);
    if (csv !== null) writeFileSync(csv, formatCsv(document));
    if (html !== null) writeFileSync(html, formatHtml(document));
    console.log(json ? JSON.stringify(document, null, 2) : formatBench(document));
    return document.violations.length === 0 ? 0 : 1;
  });
}

async function measure(
  { options, protocols, compare }: BenchRequest,
  signal: AbortSignal,
): Promise<BenchDocument> {
  const needed = options.suites.some(isProtocolSuite) ? protocols : [];
  const { candidates, dispose } = await loadCandidates(needed, options.count);
  try {
    const document = await runBench(options, candidates, showProgress, signal);
    const changes = compare === null ? null : compareDocuments(compare, document);
    return { ...document, changes };
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    await dispose();
  }
}

/** A line on stderr where that is a terminal. It moves between measurements, never during one. */
const showProgress: OnProgress = (what, done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${Math.floor(done * 100)} % ${what}`);
};
