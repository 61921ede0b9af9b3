/** `faultline stress --storm`: a storm of kills on a machine of each protocol asked for. */
import { INTERRUPTED_HELP } from './interruption.ts';
import { STORM_KINDS, STORM_KINDS_ALL, storm } from '../lab/stress/storm.ts';
import type { StormOptions } from '../lab/stress/storm.ts';
import type { CampaignResult } from '../lab/stress/campaign.ts';
import { campaignTable, machineWords, parseCampaign, runCampaign, sumOf } from './campaign.ts';
import type { CampaignPlan } from './campaign.ts';
import { describeOptions, parseOptions, seedOption } from './options.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

const cpusDefault = 2;
const processesDefault = 1000;
const processesMax = 10_000_000;

const stormOptions: OptionTable = {
  storm: { help: 'a storm of kills, instead of the default stress' },
  processes: { value: 'N', help: 'processes on each machine (1000, or what --seconds allows)' },
  'at-once': { value: 'N', help: 'processes at a time, 1 to 64 (8)' },
  kinds: { value: 'A,B,…', help: `kinds of programs, or all (all but endless)` },
  seed: seedOption('programs, arguments and times of kills'),
  ...campaignTable(cpusDefault),
};

const stormHelp = `Usage: faultline stress --storm [options]

Starts many short processes that spin, touch memory, use timers, leave rejections unhandled, fork,
clone, wait on futexes and send signals; kills most of them at a random moment; and checks how each
ended. Audits run between batches, and every frame must come back.

Options (default):
${describeOptions(stormOptions)}

Kinds: ${STORM_KINDS_ALL.slice(0, 7).join(', ')},
${STORM_KINDS_ALL.slice(7).join(', ')}.

The seed decides programs, arguments and the times of kills, but not how real threads interleave: a
failure that depends on that may need more than one run to come again.

Exit status: 0 nothing wrong, 1 a violation was found, 2 bad usage.
${INTERRUPTED_HELP}`;

const plan: CampaignPlan<StormOptions, CampaignResult> = {
  label: ({ protocol, seed, processes }) =>
    `storm: ${protocol}, seed ${seed}${processes === null ? '' : `, ${processes} processes`}`,
  unit: 'ended',
  run: storm,
  command: (options) => {
    const { seed, processes, atOnce, kinds, durationMs } = options;
    const length = [
      processes === null ? '' : ` --processes ${processes}`,
      durationMs === null ? '' : ` --seconds ${durationMs / 1000}`,
    ].join('');
    const which = kinds.join() === STORM_KINDS.join() ? '' : ` --kinds ${kinds.join()}`;
    return (
      `faultline stress --storm --seed ${seed}${length} --at-once ${atOnce}${which} ` +
      machineWords(options)
    );
  },
  verdict: (results) => {
    const unresponsive = sumOf(results, (result) => result.unresponsive);
    return unresponsive === '0' ? '' : `${unresponsive} unresponsive, `;
  },
};

/** Returns the exit status. */
export async function stressStorm(args: readonly string[]): Promise<number> {
  const parsed = parseOptions(args, stormOptions, 'faultline stress --storm');
  if (parsed.has('help')) {
    console.log(stormHelp);
    return 0;
  }
  parsed.refuseArguments('stress --storm');
  const { protocols, machine, json } = parseCampaign(parsed, cpusDefault, null);
  const isTimed = machine.durationMs !== null;
  const processes = parsed.one('processes') === null && isTimed ? null : processesOf(parsed);
  const atOnce = parsed.integer('at-once', 8, 1, 64);
  const kinds = parsed.read('kinds', STORM_KINDS, parseKinds);
  const shared = { ...machine, seed: parsed.seed(), processes, atOnce, kinds };
  const machines = protocols.map((protocol) => ({ ...shared, protocol }));
  return runCampaign(machines, plan, json);
}

function processesOf(parsed: ParsedOptions): number {
  return parsed.integer('processes', processesDefault, 1, processesMax);
}

function parseKinds(text: string): readonly string[] {
  if (text === 'all') return STORM_KINDS_ALL;
  const kinds = text.split(',');
  const unknown = kinds.find((kind) => !STORM_KINDS_ALL.includes(kind));
  if (unknown === undefined) return kinds;
  throw new UsageError(`--kinds must be of ${STORM_KINDS_ALL.join(', ')}, got '${unknown}'`);
}
