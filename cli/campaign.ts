/**
 * What `stress --storm` and `stress --fuzz` share: options of the machines, one machine after the
 * other, a line of progress, and what Ctrl-C does: an end with the report so far, status 130.
 */
import { extname } from 'node:path';
import type { CampaignOptions, CampaignResult } from '../lab/stress/campaign.ts';
import { FLUSH_POLICIES, PROTOCOL_NAMES } from '../kernel/index.ts';
import { FRAMES_MAX, PAGE_SIZE } from '../shared/limits.ts';
import { FAULT_MODES } from '../shared/wire.ts';
import { statusOf, watchInterruption } from './interruption.ts';
import { loadPart } from './load-part.ts';
import { parseProtocol, protocolOption, shootdownOption } from './machine-options.ts';
import { HELP_OPTION, JSON_OPTION, cpusOption } from './options.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { formatCount } from './text-table.ts';
import { formatBytes, parseSizeBytes } from './usage-error.ts';

const memoryMinBytes = 2 ** 21;
const swapMinBytes = 2 ** 21;
const swapMaxBytes = 2 ** 33;
const progressMs = 500;

/** The options of a campaign's machines. */
export function campaignTable(cpusDefault: number): OptionTable {
  return {
    seconds: { value: 'N', help: 'how long in all, shared by the machines that run in turn' },
    cpus: cpusOption(cpusDefault),
    protocol: protocolOption('NAME|FILE|all', 'a module'),
    faults: {
      value: 'MODE',
      help: `where page faults are resolved: ${FAULT_MODES.join(', ')} (local)`,
    },
    shootdown: shootdownOption(''),
    memory: { value: 'SIZE', help: 'simulated memory, 2MiB to 4GiB (64MiB)' },
    swap: { value: 'SIZE', help: 'swap store, 2MiB to 8GiB; 0: none (0)' },
    json: JSON_OPTION,
    help: HELP_OPTION,
  };
}

export interface CampaignRequest {
  readonly protocols: readonly string[];
  readonly machine: Omit<CampaignOptions, 'protocol' | 'seed'>;
  readonly json: boolean;
}

/** `durationMs`: how long a campaign lasts when the user does not say; null: no limit. */
export function parseCampaign(
  parsed: ParsedOptions,
  cpusDefault: number,
  durationMs: number | null,
): CampaignRequest {
  const protocols = parsed.read<readonly string[]>('protocol', ['rcu'], (text) =>
    text === 'all' ? PROTOCOL_NAMES : [parseProtocol(text)],
  );
  const totalMs = parsed.milliseconds('seconds', durationMs);
  const machine = {
    durationMs: totalMs === null ? null : Math.ceil(totalMs / protocols.length),
    cpus: parsed.cpus(cpusDefault),
    faults: parsed.choice('faults', 'local', FAULT_MODES),
    shootdown: parsed.choice('shootdown', 'batched', FLUSH_POLICIES),
    memoryBytes: parsed.bytes('memory', 2 ** 26, memoryMinBytes, FRAMES_MAX * PAGE_SIZE),
    swapBytes: parsed.read('swap', 0, (text) =>
      text === '0' ? 0 : parseSizeBytes('--swap', text, swapMinBytes, swapMaxBytes),
    ),
  };
  return { protocols, machine, json: parsed.has('json') };
}

/** The options with which a machine of a campaign is made again. */
export function machineWords(options: CampaignOptions): string {
  const { protocol, cpus, memoryBytes, swapBytes, faults, shootdown } = options;
  return (
    `--protocol ${protocol} --cpus ${cpus} --memory ${formatBytes(memoryBytes)} ` +
    `--swap ${swapBytes === 0 ? 0 : formatBytes(swapBytes)} --faults ${faults} ` +
    `--shootdown ${shootdown}`
  );
}

export interface CampaignRun<Options, Result> {
  readonly options: Options;
  readonly result: Result;
  readonly command: string;
}

/** How a campaign's machines run and are told about. */
export interface CampaignPlan<Options, Result> {
  /** Shown in the line of progress, with what `run` reports as done. */
  readonly label: (options: Options) => string;
  readonly unit: string;
  readonly run: (
    options: Options,
    signal: AbortSignal,
    onProgress: (done: number) => void,
  ) => Promise<Result>;
  /** The command that does the same again. */
  readonly command: (options: Options, result: Result) => string;
  readonly verdict: (results: readonly Result[]) => string;
}

/** Runs one machine after the other, prints what was found, and returns the exit status. */
export async function runCampaign<Options extends CampaignOptions, Result extends CampaignResult>(
  machines: readonly Options[],
  plan: CampaignPlan<Options, Result>,
  json: boolean,
): Promise<number> {
  const abort = watchInterruption();
  const runs: CampaignRun<Options, Result>[] = [];
  for (const options of machines) {
    if (abort.signal.aborted) break;
    const result = await runOne(options, plan, abort.signal);
    const run = { options, result, command: plan.command(options, result) };
    runs.push(run);
    for (const failure of result.failures) console.error(`  failure: ${failure}`);
    for (const line of result.evidence) console.error(`  ${line}`);
    if (result.failures.length > 0) console.error(`  again: ${run.command}`);
  }
  abort.stop();
  const results = runs.map(({ result }) => result);
  const exitStatus = statusOf(results, abort.signal);
  if (json) console.log(JSON.stringify({ exitStatus, runs }, null, 2));
  else console.log(outcome(results, plan.verdict, abort.signal.aborted));
  return exitStatus;
}

async function runOne<Options extends CampaignOptions, Result>(
  options: Options,
  plan: CampaignPlan<Options, Result>,
  signal: AbortSignal,
): Promise<Result> {
  const label = plan.label(options);
  console.error(label);
  const progress = startProgress(label, plan.unit);
  const module =
    extname(options.protocol) === '' ? null : await loadPart('protocol', options.protocol);
  const settings = module === null ? options : { ...options, protocol: module.url.href };
  try {
    return await plan.run(settings, signal, progress.tell);
  } finally {
    progress.stop();
    await module?.dispose();
  }
}

/** One line that is written over, where stderr is a terminal. */
function startProgress(
  label: string,
  unit: string,
): { readonly tell: (done: number) => void; readonly stop: () => void } {
  let done = 0;
  const { stderr } = process;
  const show = (): void => void stderr.write(`\r${label}: ${formatCount(done)} ${unit}`);
  const timer = stderr.isTTY ? setInterval(show, progressMs) : undefined;
  return {
    tell: (now) => (done = now),
    stop: () => {
      clearInterval(timer);
      if (timer !== undefined) stderr.write('\r\x1b[K');
    },
  };
}

function outcome<Result extends CampaignResult>(
  results: readonly Result[],
  verdict: (results: readonly Result[]) => string,
  isInterrupted: boolean,
): string {
  const violations = sumOf(results, ({ failures }) => failures.length);
  const word = violations === '0' ? (isInterrupted ? 'interrupted' : 'clean') : 'FAILED';
  const processes = sumOf(results, ({ processes: count }) => count);
  const kills = sumOf(results, ({ killed }) => killed);
  const audits = sumOf(results, ({ audits: count }) => count);
  return (
    `${word}: ${verdict(results)}${processes} processes, ${kills} kills, ${audits} audits, ` +
    `${violations} violations`
  );
}

export function sumOf<Result>(
  results: readonly Result[],
  value: (result: Result) => number,
): string {
  return formatCount(results.reduce((sum, result) => sum + value(result), 0));
}
