/** What the user asked `faultline explore --mutate` to do. */
import { OPERATORS } from '../lab/explore/mutate/change.ts';
import type { OperatorName } from '../lab/explore/mutate/change.ts';
import { isSystematic } from '../lab/explore/mutate/one-mutant.ts';
import type { MutantInfo } from '../lab/explore/mutate/schemata-build.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { HELP_OPTION, JSON_OPTION, describeOptions, parseOptions } from './options.ts';
import type { OptionTable } from './options.ts';
import { requireWritable } from './output-file.ts';
import { suggest, UsageError } from './usage-error.ts';

const threadsMax = 256;
const effortMax = 1000;
const sampleMax = 1000;

const mutateOptions: OptionTable = {
  mutate: { help: 'judge the scenarios by systematic mutants of the kernel' },
  operator: { value: 'NAME', help: 'only mutants of this kind; may be repeated', repeatable: true },
  file: {
    value: 'PATH',
    help: 'only mutants of this file or folder of kernel/; may be repeated',
    repeatable: true,
  },
  sample: { value: 'N', help: `only every Nth of them, 1 to ${sampleMax} (1)` },
  jobs: { value: 'N', help: `mutants side by side, each on a thread, 1 to ${threadsMax} (1)` },
  effort: {
    value: 'N',
    help: `executions and scenarios for a mutant, times N, 1 to ${effortMax} (1)`,
  },
  resume: { value: 'FILE', help: 'keep verdicts in FILE as they come, and go on from it' },
  list: { help: 'list the mutants, and judge none' },
  json: JSON_OPTION,
  help: HELP_OPTION,
};

export interface MutateRequest {
  readonly threads: number;
  readonly effort: number;
  readonly resume: string | null;
  readonly list: boolean;
  readonly json: boolean;
  readonly isWanted: (mutant: MutantInfo) => boolean;
}

function mutateHelp(): string {
  return `Usage: faultline explore --mutate [MUTANT…] [options]

Derives mutants, small seeded bugs, from the kernel's syntax, explores each in the scenarios that
execute it, and says how many were found, by file and by kind. A mutant is named
FILE:FUNCTION:OPERATOR:N. Without names, all are judged, which takes an hour or more.

Operators: ${wrapped(OPERATORS)}

Options (default):
${describeOptions(mutateOptions)}

Exit status: 0 all that are not equivalent were killed, 1 some survived, 2 bad usage.
${INTERRUPTED_HELP}`;
}

function wrapped(names: readonly string[]): string {
  const half = Math.ceil(names.length / 2);
  return `${names.slice(0, half).join(', ')},\n           ${names.slice(half).join(', ')}`;
}

/** The request, or the help text that was asked for. */
export function parseMutate(args: readonly string[]): MutateRequest | string {
  const parsed = parseOptions(args, mutateOptions, 'faultline explore --mutate');
  if (parsed.has('help')) return mutateHelp();
  const operators = parsed.all('operator').map(parseOperator);
  const files = parsed.all('file').map((path) => path.replace(/^\.\//, '').replace(/\/+$/, ''));
  const names = parsed.positionals;
  for (const name of names) requireName(name);
  const every = parsed.integer('sample', 1, 1, sampleMax);
  const resume = parsed.one('resume');
  if (resume !== null) requireWritable('resume', resume);
  return {
    threads: parsed.integer('jobs', 1, 1, threadsMax),
    effort: parsed.integer('effort', 1, 1, effortMax),
    resume,
    list: parsed.has('list'),
    json: parsed.has('json'),
    isWanted: ({ id, path, operator, number }) =>
      number % every === 0 &&
      (names.length === 0 || names.includes(id)) &&
      (operators.length === 0 || operators.includes(operator)) &&
      (files.length === 0 || files.some((file) => path === file || path.startsWith(`${file}/`))),
  };
}

function parseOperator(text: string): OperatorName {
  const known = OPERATORS.find((name) => name === text);
  if (known !== undefined) return known;
  const hint = suggest(text, OPERATORS) || `; one of ${OPERATORS.join(', ')}`;
  throw new UsageError(`--operator: no operator is called '${text}'${hint}`);
}

function requireName(name: string): void {
  if (isSystematic(name)) return;
  throw new UsageError(
    `'${name}' is no mutant's name (FILE:FUNCTION:OPERATOR:N); see --mutate --list`,
  );
}
