/**
 * `faultline stress`: one machine after the other for each protocol, fault mode and flush policy
 * asked for. Every failure is printed with the command that runs the same again.
 */
import { extname } from 'node:path';
import { stressMachine } from '../lab/stress/stress-machine.ts';
import type { StressOptions, StressResult } from '../lab/stress/stress-types.ts';
import { loadPart } from './load-part.ts';
import { formatFailure, formatStress, stressDocument } from './stress-report.ts';
import type { StressRun } from './stress-report.ts';
import { stressStorm } from './storm.ts';
import { parseStress } from './stress-request.ts';
import type { StressRequest } from './stress-request.ts';

/** Returns the exit status. */
export async function stress(args: readonly string[]): Promise<number> {
  if (args.includes('--storm')) return stressStorm(args);
  const request = parseStress(args);
  if (typeof request === 'string') {
    console.log(request);
    return 0;
  }
  const runs: StressRun[] = [];
  for (const options of machinesOf(request)) {
    console.error(
      `stress: ${options.protocol}, faults ${options.faults}, shootdown ${options.shootdown}, ` +
        `${options.durationMs / 1000} s, seed ${options.seed}`,
    );
    const run = { options, result: await stressOne(options) };
    runs.push(run);
    if (run.result.failures.length > 0) console.error(formatFailure(run));
  }
  if (request.json) console.log(JSON.stringify(stressDocument(runs), null, 2));
  else console.log(formatStress(runs));
  return runs.every(({ result }) => result.failures.length === 0) ? 0 : 1;
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

async function stressOne(options: StressOptions): Promise<StressResult> {
  if (extname(options.protocol) === '') return stressMachine(options);
  const module = await loadPart('protocol', options.protocol);
  try {
    return await stressMachine({ ...options, protocol: module.url.href });
  } finally {
    await module.dispose();
  }
}
