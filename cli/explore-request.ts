/** What the user asked `faultline explore` to do: command line in, checked request out. */
import { requireReadable } from './load-module.ts';
import type { OptionTable } from './options.ts';
import { describeOptions, parseOptions } from './options.ts';
import { parseInteger, parseSecondsMs, UsageError } from './usage.ts';

const seedMax = 2 ** 32 - 1;
const boundMax = 1000;
const depthMax = 100;
const executionsMax = 1e12;
const secondsMax = 7 * 86_400;
const jobsMax = 256;
/** Preemptions of an exhaustive search unless the user says otherwise, by CPUs of the scenario. */
export const boundDefault: (cpus: number) => number = (cpus) => (cpus <= 2 ? 3 : 2);

const strategies = ['exhaustive', 'pct', 'random'] as const;
type StrategyName = (typeof strategies)[number];

const exploreOptions: OptionTable = {
  all: { help: 'all scenarios under all protocols' },
  list: { help: 'list scenarios, protocols and mutants' },
  protocol: { value: 'NAME|FILE', help: 'locking protocol or module; may be repeated (rcu)' },
  strategy: { value: 'NAME', help: `${strategies.join(', ')} (exhaustive)` },
  bound: { value: 'N|all', help: 'preemptions of the exhaustive search (3; 2 from 3 CPUs on)' },
  depth: { value: 'D', help: 'bug depth of pct, 1 to 100 (3)' },
  executions: { value: 'N', help: 'executions per scenario and protocol, at most' },
  seconds: {
    value: 'N',
    help: 'seconds per scenario and protocol, at most (600; 60 for pct and random)',
  },
  jobs: { value: 'N', help: 'explorations side by side, each on a thread, 1 to 256 (1)' },
  seed: { value: 'N', help: 'seed of pct and random, 0 to 4294967295 (1)' },
  mutant: { value: 'NAME', help: 'explore a kernel with this seeded bug, where it shows' },
  mutants: { help: 'the table of all mutants and strategies' },
  replay: { value: 'SCHEDULE', help: 'replay a schedule that a failure printed' },
  html: { value: 'FILE', help: 'draw the failure, or the replay, as a page' },
  json: { help: 'print one JSON document on stdout, all else on stderr' },
  help: { short: 'h', help: 'print this' },
};

export interface ExploreRequest {
  readonly action: 'explore' | 'list' | 'mutants' | 'replay';
  /** Names or paths; empty for all. */
  readonly scenarios: readonly string[];
  /** Names or paths; empty for all. */
  readonly protocols: readonly string[];
  readonly strategy: StrategyName;
  /** null: the default for the scenario's CPUs. */
  readonly bound: number | null;
  readonly depth: number;
  readonly executionsMax: number;
  readonly timeMaxMs: number;
  readonly seed: number;
  /** Explorations side by side. */
  readonly jobs: number;
  readonly mutant: string | null;
  readonly replay: string | null;
  readonly html: string | null;
  readonly json: boolean;
}

function exploreHelp(): string {
  return `Usage: faultline explore SCENARIO… [options]

Runs the kernel's own source with every shared access as a scheduling point, and tries the
interleavings of a scenario's CPUs. A scenario is a name (--list) or a module file.

Options (default):
${describeOptions(exploreOptions)}

Exit status: 0 nothing found, 1 a violation, 2 bad usage.`;
}

/** The request, or the help text that was asked for. */
export function parseExplore(args: readonly string[]): ExploreRequest | string {
  const parsed = parseOptions(args, exploreOptions, 'faultline explore');
  if (parsed.switches.has('help')) return exploreHelp();
  const last = (name: string): string | undefined => parsed.values.get(name)?.at(-1);
  const scenarios = [...parsed.positionals];
  const replay = last('replay') ?? null;
  const action = actionOf(parsed.switches, replay, scenarios, last('mutant') !== undefined);
  for (const name of [...scenarios, ...(parsed.values.get('protocol') ?? [])]) {
    if (/[\\/]|\.[cm]?[jt]s$/.test(name)) requireReadable(name);
  }
  const strategy = strategies.find((name) => name === (last('strategy') ?? 'exhaustive'));
  if (strategy === undefined) {
    const given = last('strategy') ?? '';
    throw new UsageError(`--strategy must be one of ${strategies.join(', ')}, got '${given}'`);
  }
  const bound = last('bound');
  return {
    action,
    scenarios,
    protocols: parsed.values.get('protocol') ?? (parsed.switches.has('all') ? [] : ['rcu']),
    strategy,
    bound:
      bound === undefined
        ? null
        : bound === 'all'
          ? Infinity
          : parseInteger('--bound', bound, 0, boundMax),
    depth: parseInteger('--depth', last('depth') ?? '3', 1, depthMax),
    executionsMax: parseInteger(
      '--executions',
      last('executions') ?? '1000000000',
      1,
      executionsMax,
    ),
    timeMaxMs: parseSecondsMs(
      '--seconds',
      last('seconds') ?? (strategy === 'exhaustive' ? '600' : '60'),
      secondsMax,
    ),
    jobs: parseInteger('--jobs', last('jobs') ?? '1', 1, jobsMax),
    seed: parseInteger('--seed', last('seed') ?? '1', 0, seedMax),
    mutant: last('mutant') ?? null,
    replay,
    html: last('html') ?? null,
    json: parsed.switches.has('json'),
  };
}

function actionOf(
  switches: ReadonlySet<string>,
  replay: string | null,
  scenarios: readonly string[],
  hasMutant: boolean,
): ExploreRequest['action'] {
  if (switches.has('list')) return 'list';
  if (switches.has('mutants')) return 'mutants';
  if (replay !== null) return 'replay';
  if (scenarios.length === 0 && !switches.has('all') && !hasMutant) {
    throw new UsageError('which scenario? Name one, or --all; see faultline explore --list');
  }
  return 'explore';
}
