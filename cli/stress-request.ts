/** What the user asked `faultline stress` to do: command line in, checked request out. */
import { FLUSH_POLICIES, PROTOCOL_NAMES } from '../kernel/index.ts';
import type { FlushPolicy } from '../kernel/index.ts';
import { FRAMES_MAX, PAGE_SIZE } from '../shared/limits.ts';
import { THREADS_MAX } from '../lab/stress/arena.ts';
import { FAULT_MODES } from '../shared/wire.ts';
import type { FaultMode } from '../shared/wire.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { parseProtocol, protocolOption, shootdownOption } from './machine-options.ts';
import {
  HELP_OPTION,
  JSON_OPTION,
  cpusOption,
  seedOption,
  describeOptions,
  parseOptions,
} from './options.ts';
import type { OptionTable } from './options.ts';
import { UsageError, parsePagesBytes } from './usage-error.ts';

const cpusDefault = 4;
const processesMax = 16;
const forksMax = 8;
const swapMinBytes = 2 ** 21;
const swapMaxBytes = 2 ** 33;
/** Less would not hold the processes' pages. */
const memoryMinBytes = 2 ** 23;

const stressOptions: OptionTable = {
  seconds: { value: 'N', help: 'how long in all, shared by the machines that run in turn (10)' },
  cpus: cpusOption(cpusDefault),
  protocol: protocolOption('NAME|FILE|all', 'a module'),
  faults: {
    value: 'MODE',
    help: `where page faults are resolved: ${FAULT_MODES.join(', ')}, both (local)`,
  },
  shootdown: shootdownOption(', all'),
  seed: seedOption('all choices'),
  memory: { value: 'SIZE', help: 'simulated memory, 8MiB to 4GiB (16MiB)' },
  swap: {
    value: 'SIZE',
    help: 'swap store, 2MiB to 8GiB, and too little memory; 0: none (16MiB)',
  },
  processes: { value: 'N', help: `processes at a time, 1 to ${processesMax} (3)` },
  threads: { value: 'N', help: `threads of each process, 1 to ${THREADS_MAX} (3)` },
  forks: { value: 'N', help: `forked children that a thread has at a time, 0 to ${forksMax} (2)` },
  json: JSON_OPTION,
  help: HELP_OPTION,
};

export interface StressRequest {
  readonly durationMs: number;
  readonly cpus: number;
  /** Names, or one path of a module. */
  readonly protocols: readonly string[];
  readonly faults: readonly FaultMode[];
  readonly shootdowns: readonly FlushPolicy[];
  readonly seed: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly processes: number;
  readonly threads: number;
  readonly forks: number;
  readonly json: boolean;
}

function stressHelp(): string {
  return `Usage: faultline stress [options]

Lets processes with several threads each map, unmap, protect and touch overlapping ranges on real
Workers, and checks every access that no operation overlapped: what is mapped must be accessible
and hold what was stored in this very mapping, everything else must fault. Threads fork children,
which check their copies; a process with too many pages sees to it that pages go out to swap and
come back. Audits run meanwhile.

Options (default):
${describeOptions(stressOptions)}

The seed decides every choice, but not how real threads interleave: a failure that depends on that
may need more than one run to come again.

Exit status: 0 nothing wrong, 1 a violation was found, 2 bad usage.
${INTERRUPTED_HELP}`;
}

/** The request, or the help text that was asked for instead. Throws UsageError. */
export function parseStress(args: readonly string[]): StressRequest | string {
  const parsed = parseOptions(args, stressOptions, 'faultline stress');
  if (parsed.has('help')) return stressHelp();
  parsed.refuseArguments('stress');
  return {
    durationMs: parsed.milliseconds('seconds', 10_000),
    cpus: parsed.cpus(cpusDefault),
    protocols: parsed.read<readonly string[]>('protocol', ['rcu'], (text) =>
      text === 'all' ? PROTOCOL_NAMES : [parseProtocol(text)],
    ),
    faults: parsed.read<readonly FaultMode[]>('faults', ['local'], (text) =>
      parseChoice('faults', text, FAULT_MODES, 'both'),
    ),
    shootdowns: parsed.read<readonly FlushPolicy[]>('shootdown', ['batched'], (text) =>
      parseChoice('shootdown', text, FLUSH_POLICIES, 'all'),
    ),
    seed: parsed.seed(),
    memoryBytes: parsed.bytes('memory', 2 ** 24, memoryMinBytes, FRAMES_MAX * PAGE_SIZE),
    swapBytes: parsed.read('swap', 2 ** 24, (text) =>
      text === '0' ? 0 : parsePagesBytes('--swap', text, swapMinBytes, swapMaxBytes),
    ),
    processes: parsed.integer('processes', 3, 1, processesMax),
    threads: parsed.integer('threads', 3, 1, THREADS_MAX),
    forks: parsed.integer('forks', 2, 0, forksMax),
    json: parsed.has('json'),
  };
}

/** One of `choices`, or all of them when `text` is `every`. */
function parseChoice<Choice extends string>(
  name: string,
  text: string,
  choices: readonly Choice[],
  every: string,
): readonly Choice[] {
  if (text === every) return choices;
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return [choice];
  throw new UsageError(`--${name} must be ${choices.join(', ')} or ${every}, got '${text}'`);
}
