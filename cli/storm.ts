/**
 * `faultline stress --storm`: a storm of kills on a machine of each protocol asked for. Every
 * failure is printed with the command that runs the same again.
 */
import { extname } from 'node:path';
import { storm } from '../lab/stress/storm.ts';
import type { StormOptions, StormResult } from '../lab/stress/storm.ts';
import { PROTOCOL_NAMES } from '../kernel/index.ts';
import { FRAMES_MAX, PAGE_SIZE } from '../shared/limits.ts';
import { loadModule } from './load-module.ts';
import { parseProtocol, protocolOption } from './machine-options.ts';
import {
  HELP_OPTION,
  JSON_OPTION,
  cpusOption,
  describeOptions,
  parseOptions,
  seedOption,
} from './options.ts';
import type { OptionTable } from './options.ts';
import { formatCount } from './text-table.ts';
import { formatBytes } from './usage-error.ts';

const cpusDefault = 2;
const memoryMinBytes = 2 ** 21;

const stormOptions: OptionTable = {
  storm: { help: 'a storm of kills, instead of the default stress' },
  processes: { value: 'N', help: 'processes on each machine, 1 to 10000000 (1000)' },
  'at-once': { value: 'N', help: 'processes at a time, 1 to 64 (8)' },
  cpus: cpusOption(cpusDefault),
  protocol: protocolOption('NAME|FILE|all', 'a module'),
  memory: { value: 'SIZE', help: 'simulated memory, 2MiB to 4GiB (64MiB)' },
  seed: seedOption('programs, arguments and times of kills'),
  json: JSON_OPTION,
  help: HELP_OPTION,
};

const stormHelp = `Usage: faultline stress --storm [options]

Starts many short processes that spin, touch memory, use timers, leave rejections unhandled, fork,
clone, wait on futexes and send signals; kills most of them at a random moment; and checks how each
ended. Audits run between batches, and every frame must come back.

Options (default):
${describeOptions(stormOptions)}

The seed decides programs, arguments and the times of kills, but not how real threads interleave: a
failure that depends on that may need more than one run to come again.

Exit status: 0 nothing wrong, 1 a violation was found, 2 bad usage.`;

interface StormRun {
  readonly options: StormOptions;
  readonly result: StormResult;
  readonly command: string;
}

/** Returns the exit status. */
export async function stressStorm(args: readonly string[]): Promise<number> {
  const parsed = parseOptions(args, stormOptions, 'faultline stress --storm');
  if (parsed.has('help')) {
    console.log(stormHelp);
    return 0;
  }
  parsed.refuseArguments('stress --storm');
  const protocols = parsed.read<readonly string[]>('protocol', ['rcu'], (text) =>
    text === 'all' ? PROTOCOL_NAMES : [parseProtocol(text)],
  );
  const shared = {
    seed: parsed.seed(),
    processes: parsed.integer('processes', 1000, 1, 10_000_000),
    atOnce: parsed.integer('at-once', 8, 1, 64),
    cpus: parsed.cpus(cpusDefault),
    memoryBytes: parsed.bytes('memory', 2 ** 26, memoryMinBytes, FRAMES_MAX * PAGE_SIZE),
  };
  const runs: StormRun[] = [];
  for (const protocol of protocols) {
    const options = { ...shared, protocol };
    const run = { options, result: await runStorm(options), command: commandOf(options) };
    runs.push(run);
    for (const failure of run.result.failures) console.error(`  failure: ${failure}`);
    for (const line of run.result.evidence) console.error(`  ${line}`);
    if (run.result.failures.length > 0) console.error(`  again: ${run.command}`);
  }
  const status = runs.every(({ result }) => result.failures.length === 0) ? 0 : 1;
  if (parsed.has('json')) console.log(JSON.stringify({ exitStatus: status, runs }, null, 2));
  else console.log(verdict(runs));
  return status;
}

async function runStorm(options: StormOptions): Promise<StormResult> {
  const { protocol, processes, seed } = options;
  const tell = (done: number): void =>
    console.error(`storm: ${protocol}, seed ${seed}: ${done} of ${processes} processes`);
  if (extname(protocol) === '') return storm(options, tell);
  const module = await loadModule(protocol);
  try {
    return await storm({ ...options, protocol: module.url.href }, tell);
  } finally {
    await module.dispose();
  }
}

function commandOf(options: StormOptions): string {
  const { protocol, seed, processes, atOnce, cpus, memoryBytes } = options;
  return (
    `faultline stress --storm --protocol ${protocol} --seed ${seed} --processes ${processes} ` +
    `--at-once ${atOnce} --cpus ${cpus} --memory ${formatBytes(memoryBytes)}`
  );
}

function verdict(runs: readonly StormRun[]): string {
  const sum = (value: (result: StormResult) => number): string =>
    formatCount(runs.reduce((total, { result }) => total + value(result), 0));
  const failures = sum(({ failures: list }) => list.length);
  const outcome = failures === '0' ? 'clean' : 'FAILED';
  return (
    `${outcome}: ${sum(({ processes }) => processes)} processes, ` +
    `${sum(({ killed }) => killed)} kills, ${sum(({ audits }) => audits)} audits, ` +
    `${failures} violations`
  );
}
