/** `faultline replay`: recordings of real programs on a simulated machine. */
import { createReadStream, statSync } from 'node:fs';
import { replay } from '../lab/replay/replay.ts';
import type { ReplayReport } from '../lab/replay/replay-report.ts';
import { TraceError } from '../lab/replay/text/recognise.ts';
import type { TextSource } from '../lab/replay/text/open-text.ts';
import { interruptibly } from './interruption.ts';
import { formatReplay } from './replay-report.ts';
import { parseReplay } from './replay-request.ts';
import type { ReplayRequest } from './replay-request.ts';
import { formatCount } from './text-table.ts';
import { UsageError } from './usage-error.ts';

const PIECE_BYTES = 2 ** 18;

/** Returns the exit status. */
export async function replayCommand(args: readonly string[]): Promise<number> {
  const request = parseReplay(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  return interruptibly(async (signal) => {
    const reports: ReplayReport[] = [];
    for (const file of request.files) {
      if (!signal.aborted) reports.push(await replayFile(file, request, signal));
    }
    const isEqual = reports.every(
      ({ differencesTotal, violations }) => differencesTotal === 0 && violations.length === 0,
    );
    if (request.json) {
      console.log(JSON.stringify({ exitStatus: isEqual ? 0 : 1, reports }, null, 2));
    } else console.log(reports.map((report) => formatReplay(report, request)).join('\n\n\n'));
    return isEqual ? 0 : 1;
  });
}

async function replayFile(
  file: string,
  request: ReplayRequest,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const isShown = process.stderr.isTTY;
  try {
    return await replay(sourceOf(file), {
      ...request,
      sizeOf,
      now: () => performance.now(),
      signal,
      onProgress: (lines) => {
        if (isShown) process.stderr.write(`\r${file}: line ${formatCount(lines)} `);
      },
    });
  } catch (error) {
    throw error instanceof TraceError ? new UsageError(error.message) : error;
  } finally {
    if (isShown) process.stderr.write('\r\x1b[K');
  }
}

function sourceOf(path: string): TextSource {
  return { name: path, open: () => createReadStream(path, { highWaterMark: PIECE_BYTES }) };
}

/** Files that are still there tell it themselves. */
function sizeOf(path: string): number | null {
  return path.startsWith('/') ? (statSync(path, { throwIfNoEntry: false })?.size ?? null) : null;
}
