/**
 * `faultline stress`: one machine after the other for each protocol, fault mode and flush policy
 * asked for. Every failure is printed with the command that runs the same again.
 */
import { extname } from 'node:path';
import { stressMachine } from '../lab/stress/stress-machine.ts';
import type { StressOptions, StressResult } from '../lab/stress/stress-types.ts';
import { statusOf, watchInterruption } from './interruption.ts';
import { loadPart } from './load-part.ts';
import { formatFailure, formatStress, stressDocument } from './stress-report.ts';
import type { StressRun } from './stress-report.ts';
import { stressFuzz } from './fuzz.ts';
import { stressStorm } from './storm.ts';
import { parseStress } from './stress-request.ts';
import type { StressRequest } from './stress-request.ts';

/** Returns the exit status. */
export async function stress(args: readonly string[]): Promise<number> {
  if (args.includes('--storm')) return stressStorm(args);
  if (args.some((arg) => /^--fuzz(=|$)/.test(arg))) return stressFuzz(args);
  const request = parseStress(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  const abort = watchInterruption();
  const runs: StressRun[] = [];
  for (const options of machinesOf(request)) {
    if (abort.signal.aborted) break;
    console.error(
      `stress: ${options.protocol}, faults ${options.faults}, shootdown ${options.shootdown}, ` +
        `${options.durationMs / 1000} s, seed ${options.seed}`,
    );
    const run = { options, result: await stressOne(options, abort.signal) };
    runs.push(run);
    if (run.result.failures.length > 0) console.error(formatFailure(run));
  }
  abort.stop();
  const exitStatus = statusOf(
    runs.map(({ result }) => result),
    abort.signal,
  );
  if (request.json) console.log(JSON.stringify(stressDocument(runs, exitStatus), null, 2));
  else console.log(formatStress(runs, abort.signal.aborted));
  return exitStatus;
}

/** Every combination asked for; they share the time. */
function machinesOf(request: StressRequest): StressOptions[] {
  const { protocols, faults, shootdowns, durationMs, json: _json, ...rest } = request;
  const machines = protocols.flatMap((protocol) =>
    faults.flatMap((mode) =>
      shootdowns.map((shootdown) => ({ ...rest, protocol, faults: mode, shootdown })),
    ),
  );
  const shareMs = Math.ceil(durationMs / machines.length);
  return machines.map((machine) => ({ ...machine, durationMs: shareMs }));
}

async function stressOne(options: StressOptions, signal: AbortSignal): Promise<StressResult> {
  if (extname(options.protocol) === '') return stressMachine(options, signal);
  const module = await loadPart('protocol', options.protocol);
  try {
    return await stressMachine({ ...options, protocol: module.url.href }, signal);
  } finally {
    await module.dispose();
  }
}
