/** What the user asked `faultline explore` to do: command line in, checked request out. */
import type { Reduction } from '../lab/explore/engine/depth-first.ts';
import type { Search } from '../lab/explore/engine/explore.ts';
import { isPath } from '../lab/explore/experiment.ts';
import type { Request } from '../lab/explore/plan.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { requireReadable } from './load-module.ts';
import { HELP_OPTION, JSON_OPTION, describeOptions, parseOptions, seedOption } from './options.ts';
import type { OptionTable, ParsedOptions } from './options.ts';
import { requireWritable } from './output-file.ts';
import { parseInteger, UsageError } from './usage-error.ts';

const boundMax = 1000;
const depthMax = 100;
const executionsMax = 1e12;
const threadsMax = 256;

const strategies: readonly Search['strategy'][] = ['exhaustive', 'pct', 'random'];

const reductions: readonly Reduction[] = ['states', 'sleep', 'none'];

const exploreOptions: OptionTable = {
  all: { help: 'all scenarios under all protocols; with --pairs: the generated ones' },
  pairs: { help: 'generated scenarios: every pair of operations, in every state of memory' },
  only: {
    value: 'NAME',
    help: 'with --pairs: those with this state or operation; may be repeated',
    repeatable: true,
  },
  list: { help: 'list scenarios, protocols and mutants' },
  protocol: {
    value: 'NAME|FILE',
    help: 'locking protocol or module; may be repeated (rcu)',
    repeatable: true,
  },
  strategy: { value: 'NAME', help: `${strategies.join(', ')} (exhaustive)` },
  bound: { value: 'N|all', help: 'preemptions of the exhaustive search (3; 2 from 3 CPUs on)' },
  reduction: { value: 'NAME', help: `what need not be tried: ${reductions.join(', ')} (states)` },
  depth: { value: 'D', help: 'bug depth of pct, 1 to 100 (3)' },
  executions: { value: 'N', help: 'executions per scenario and protocol, at most' },
  seconds: {
    value: 'N',
    help: 'seconds per scenario and protocol, at most (600; 60 for pct and random)',
  },
  jobs: { value: 'N', help: 'explorations side by side, each on a thread, 1 to 256 (1)' },
  seed: seedOption('pct and random'),
  'keep-going': { help: 'go on after a failure, and tell the story of the first' },
  coverage: { help: 'say which ordered accesses of the kernel were explored in conflict' },
  mutant: {
    value: 'NAME',
    help: 'explore a kernel with this seeded bug (--list, --mutate --list)',
  },
  mutants: { help: 'the table of all mutants and strategies' },
  mutate: { help: 'judge the scenarios by systematic mutants; --mutate --help tells more' },
  replay: { value: 'SCHEDULE', help: 'replay a schedule that a failure printed' },
  html: {
    value: 'FILE',
    help: 'draw the failure or the replay as a page; with --coverage, the source',
  },
  json: JSON_OPTION,
  jsonl: { value: 'FILE', help: 'also write each report as a line of JSON when it is there' },
  resume: { value: 'FILE', help: 'go on with what --jsonl FILE has begun' },
  help: HELP_OPTION,
};

/** What has an effect where nothing is explored by a request's own plan. */
const OPTIONS_OF: Readonly<Partial<Record<ExploreRequest['action'], readonly string[]>>> = {
  list: ['list', 'json'],
  mutants: ['mutants', 'depth', 'executions', 'seconds', 'json'],
  replay: ['replay', 'html', 'json'],
};

export interface ExploreRequest extends Request {
  readonly action: 'explore' | 'list' | 'mutants' | 'replay';
  /** Explorations side by side. */
  readonly threads: number;
  readonly replay: string | null;
  readonly html: string | null;
  readonly keepsGoing: boolean;
  readonly json: boolean;
  /** File of reports as lines. */
  readonly jsonl: string | null;
  /** The same, to be gone on with. */
  readonly resume: string | null;
}

function exploreHelp(): string {
  return `Usage: faultline explore SCENARIO… [options]

Runs the kernel's own source with every shared access as a scheduling point, and tries the
interleavings of a scenario's CPUs. A scenario is a name (--list) or a module file.

Options (default):
${describeOptions(exploreOptions)}

Exit status: 0 nothing found, 1 a violation, 2 bad usage.
${INTERRUPTED_HELP}`;
}

/** The request, or the help text that was asked for. */
export function parseExplore(args: readonly string[]): ExploreRequest | string {
  const parsed = parseOptions(args, exploreOptions, 'faultline explore');
  if (parsed.has('help')) return exploreHelp();
  const action = actionOf(parsed);
  refuseIdle(parsed, action);
  const scenarios = [...new Set(parsed.positionals)];
  const html = parsed.one('html');
  if (html !== null) requireWritable('html', html);
  const jsonl = parsed.one('jsonl');
  if (jsonl !== null) requireWritable('jsonl', jsonl);
  for (const name of [...scenarios, ...parsed.all('protocol')]) {
    if (isPath(name)) requireReadable(name);
  }
  const protocols = [...new Set(parsed.all('protocol'))];
  return {
    action,
    scenarios,
    protocols: protocols.length > 0 || parsed.has('all') ? protocols : ['rcu'],
    mutant: parsed.one('mutant'),
    pairs: parsed.has('pairs') ? parsed.all('only') : null,
    search: parseSearch(parsed),
    threads: parsed.integer('jobs', 1, 1, threadsMax),
    replay: parsed.one('replay'),
    html,
    keepsGoing: parsed.has('keep-going'),
    wantsConflicts: parsed.has('coverage'),
    json: parsed.has('json'),
    jsonl,
    resume: parsed.one('resume'),
  };
}

function parseSearch(parsed: ParsedOptions): Request['search'] {
  const one = `one of ${strategies.join(', ')}`;
  const strategy = parsed.choice('strategy', 'exhaustive', strategies, one);
  return {
    strategy,
    bound: parsed.read<number | null>('bound', null, (text) =>
      text === 'all' ? Infinity : parseInteger('--bound', text, 0, boundMax),
    ),
    reduction: parsed.choice('reduction', 'states', reductions, `one of ${reductions.join(', ')}`),
    depth: parsed.integer('depth', 3, 1, depthMax),
    executionsMax: parsed.integer('executions', 1e9, 1, executionsMax),
    timeMaxMs: parsed.milliseconds('seconds', strategy === 'exhaustive' ? 600_000 : 60_000),
    seed: parsed.seed(),
  };
}

/** Options that would change nothing beside the others that are given. */
function refuseIdle(parsed: ParsedOptions, action: ExploreRequest['action']): void {
  const given = Object.keys(exploreOptions).filter((name) => parsed.isGiven(name));
  const useful = OPTIONS_OF[action];
  const idle = given.find((name) => useful !== undefined && !useful.includes(name));
  if (idle !== undefined) refuse(`--${action}`, `--${idle}`);
  if (action !== 'explore') return;
  const strategy = parsed.one('strategy') ?? 'exhaustive';
  const named =
    parsed.one('strategy') === null ? 'the exhaustive strategy' : `--strategy ${strategy}`;
  if (strategy !== 'exhaustive' && parsed.isGiven('bound')) refuse(named, '--bound');
  if (strategy !== 'pct' && parsed.isGiven('depth')) refuse(named, '--depth');
  if (strategy === 'exhaustive' && parsed.isGiven('seed')) refuse(named, '--seed');
  const [scenario] = parsed.positionals;
  if (parsed.has('all') && scenario !== undefined) refuse('--all', scenario);
  if (parsed.one('mutant') === null || scenario !== undefined || parsed.has('pairs')) return;
  if (parsed.has('all')) refuse('--mutant', '--all');
  // It is explored where it shows, unless a scenario is named.
  if (parsed.isGiven('protocol')) refuse('--mutant without a scenario', '--protocol');
}

function refuse(one: string, other: string): never {
  throw new UsageError(`${one} goes without ${other}; leave one out`);
}

function actionOf(parsed: ParsedOptions): ExploreRequest['action'] {
  const [scenario = null] = parsed.positionals;
  const given = [
    ...['list', 'mutants', 'all', 'pairs']
      .filter((name) => parsed.has(name))
      .map((name) => `--${name}`),
    ...['mutant', 'replay', 'resume']
      .filter((name) => parsed.one(name) !== null)
      .map((name) => `--${name}`),
    ...(scenario === null ? [] : [scenario]),
  ];
  const lonely = ['--list', '--mutants', '--replay', '--resume'];
  const alone = given.find((name) => lonely.includes(name));
  const other = given.find((name) => name !== alone);
  if (alone !== undefined && other !== undefined) refuse(alone, other);
  if (parsed.all('only').length > 0 && !parsed.has('pairs')) {
    throw new UsageError('--only goes with --pairs');
  }
  if (parsed.has('list')) return 'list';
  if (parsed.has('mutants')) return 'mutants';
  if (parsed.one('replay') !== null) return 'replay';
  if (parsed.one('resume') !== null) return 'explore';
  if (given.length === 0) {
    throw new UsageError(
      'which scenario? Name one, --all or --pairs; see faultline explore --list',
    );
  }
  return 'explore';
}
