/** `faultline stress --fuzz SEED`: random programs on a machine of each protocol asked for. */
import { INTERRUPTED_HELP } from './interruption.ts';
import { fuzz } from '../lab/stress/fuzz.ts';
import type { FuzzOptions, FuzzResult } from '../lab/stress/fuzz.ts';
import { campaignTable, machineWords, parseCampaign, runCampaign, sumOf } from './campaign.ts';
import type { CampaignPlan } from './campaign.ts';
import { describeOptions, parseOptions } from './options.ts';
import type { OptionTable } from './options.ts';
import { formatBytes, parseInteger, parseSizeBytes } from './usage-error.ts';

const cpusDefault = 3;
const durationMs = 10_000;
const seedMax = 2 ** 32 - 1;
const roundsMax = 2 ** 31 - 1;
const addressSpaceDefaultBytes = 2 ** 28;

const fuzzOptions: OptionTable = {
  fuzz: { value: 'SEED', help: `random programs, instead of the default stress; 0 to ${seedMax}` },
  round: { value: 'N', help: 'run this round alone: its programs depend on seed and N only' },
  'address-space': {
    value: 'SIZE',
    help: "programs' RLIMIT_AS, 1MiB to 4TiB; 0: none (256MiB)",
  },
  ...campaignTable(cpusDefault),
};

const fuzzHelp = `Usage: faultline stress --fuzz SEED [options]

Runs random programs: every syscall by message, by trap and locally, accesses to memory, forks,
threads, signals and kills, with arguments of which some are boundaries, huge, negative, no
integers or of wrong types. A panic, a hang, an answer that is none, an error that is not a
caller's mistake, or an audit's violation is a failure. Rounds last up to 0.3 s; after each one
everything is killed, an audit runs, and every frame must come back.

Options (default):
${describeOptions(fuzzOptions)}

The seed decides the programs of each round, but not how real threads interleave.

Exit status: 0 nothing wrong, 1 a violation was found, 2 bad usage.
${INTERRUPTED_HELP}`;

const plan: CampaignPlan<FuzzOptions, FuzzResult> = {
  label: ({ protocol, seed, round }) =>
    `fuzz: ${protocol}, seed ${seed}${round === null ? '' : `, round ${round}`}`,
  unit: 'rounds',
  run: fuzz,
  command: (options, { failedRound }) => {
    const { seed, round, addressSpaceBytes: bytes } = options;
    const which = failedRound ?? round;
    return (
      `faultline stress --fuzz ${seed}${which === null ? '' : ` --round ${which}`} ` +
      `--address-space ${bytes === 0 ? 0 : formatBytes(bytes)} ${machineWords(options)}`
    );
  },
  verdict: (results) =>
    `${sumOf(results, ({ rounds }) => rounds)} rounds, ` +
    `${sumOf(results, ({ calls }) => calls)} calls, ` +
    `${sumOf(results, ({ unresponsive }) => unresponsive)} unresponsive, `,
};

/** Returns the exit status. */
export async function stressFuzz(args: readonly string[]): Promise<number> {
  const parsed = parseOptions(args, fuzzOptions, 'faultline stress --fuzz');
  if (parsed.has('help')) {
    console.log(fuzzHelp);
    return 0;
  }
  parsed.refuseArguments('stress --fuzz');
  const { protocols, machine, json } = parseCampaign(parsed, cpusDefault, durationMs);
  const seed = parsed.integer('fuzz', 0, 0, seedMax);
  const round = parsed.read<number | null>('round', null, (text) =>
    parseInteger('--round', text, 1, roundsMax),
  );
  const addressSpaceBytes = parsed.read('address-space', addressSpaceDefaultBytes, (text) =>
    text === '0' ? 0 : parseSizeBytes('--address-space', text, 2 ** 20, 2 ** 42),
  );
  const shared = { ...machine, seed, round, addressSpaceBytes };
  const machines = protocols.map((protocol) => ({ ...shared, protocol }));
  return runCampaign(machines, plan, json);
}
