/** `faultline difftest`: the simulated machine's memory syscalls against those of this machine. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { Difftest } from '../lab/difftest/difftest.ts';
import type { DifftestResult } from '../lab/difftest/difftest.ts';
import type { Sequence } from '../lab/difftest/sequence.ts';
import { difftestDocument, formatDifftest, formatDisagreement } from './difftest-report.ts';
import { parseDifftest } from './difftest-request.ts';
import type { DifftestRequest } from './difftest-request.ts';
import { interruptibly, statusOf } from './interruption.ts';
import { formatCount } from './text-table.ts';
import { UsageError } from './usage-error.ts';

/** Returns the exit status. */
export async function difftest(args: readonly string[]): Promise<number> {
  const request = parseDifftest(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  await checkSystem();
  const kernel = `Linux ${release()}`;
  return interruptibly((signal) => {
    console.error(`difftest: ${kernel}, seed ${request.seed}`);
    return runDifftest(request, kernel, signal);
  });
}

async function runDifftest(
  request: DifftestRequest,
  kernel: string,
  signal: AbortSignal,
): Promise<number> {
  const test = new Difftest({ ...request, onProgress: showProgress, signal });
  try {
    const result = await (request.replay === null
      ? test.run()
      : test.replayAll(readSequences(request.replay)));
    tell(result, request, { kernel, signal });
    return result.disagreements.length === 0 ? 0 : 1;
  } finally {
    test.close();
  }
}

/** Throws UsageError where there is no Linux to compare with. */
async function checkSystem(): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const system = `${process.platform} on ${process.arch}`;
    throw new UsageError(`difftest compares with Linux on x86-64, and this is ${system}`);
  }
  try {
    await import('koffi');
  } catch {
    throw new UsageError('difftest needs the optional dependency koffi; npm install koffi');
  }
}

function tell(
  result: DifftestResult,
  request: DifftestRequest,
  { kernel, signal }: { readonly kernel: string; readonly signal: AbortSignal },
): void {
  const exitStatus = statusOf([{ failures: result.disagreements }], signal);
  const document = { ...difftestDocument(result, kernel), exitStatus };
  for (const one of result.disagreements) console.error(formatDisagreement(one));
  if (request.json) console.log(JSON.stringify(document, null, 2));
  else console.log(formatDifftest(result));
}

function showProgress(ops: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\rdifftest: ${formatCount(ops)} calls `);
}

function readSequences(path: string): Sequence[] {
  let sequences: unknown;
  try {
    sequences = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`'${path}': ${error instanceof Error ? error.message : String(error)}`);
  }
  const list = Array.isArray(sequences) ? sequences.map(sequenceIn) : [null];
  if (list.includes(null)) throw new UsageError(`'${path}' is no array of sequences`);
  return list as Sequence[];
}

/** A sequence as such, or with what is said about it. */
function sequenceIn(entry: unknown): Sequence | null {
  if (typeof entry !== 'object' || entry === null) return null;
  if ('sequence' in entry) return sequenceIn(entry.sequence);
  return 'ops' in entry && Array.isArray(entry.ops) ? (entry as Sequence) : null;
}
