/**
 * Command-line options as tables: one table drives parsing, its error messages and the help text.
 * Parsing is node:util's; the messages are ours, because each must say what to do in one line.
 */
import { parseArgs } from 'node:util';
import {
  parseInteger,
  parseSecondsMs,
  parsePagesBytes,
  suggest,
  UsageError,
} from './usage-error.ts';

export interface OptionSpec {
  /** Name of the value in the help text; an option without one is a switch. */
  readonly value?: string;
  readonly help: string;
  readonly short?: string;
  /** All its values count; any other option may be given once. */
  readonly repeatable?: true;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

// Options that several commands have.

export const JSON_OPTION: OptionSpec = {
  help: 'print one JSON document on stdout, all else on stderr',
};
export const HELP_OPTION: OptionSpec = { short: 'h', help: 'print this' };

const SEED_DEFAULT = 1;
const SEED_MAX = 2 ** 32 - 1;

/** `--seed`; `what` it decides. */
export function seedOption(what: string): OptionSpec {
  return { value: 'N', help: `seed of ${what}, 0 to ${SEED_MAX} (${SEED_DEFAULT})` };
}

/** Days are allowed, for tests that run over a weekend. */
const SECONDS_MAX = 7 * 86_400;
/** CPUs that a user may ask for; the machine keeps more for dedicated Workers. */
const POOL_CPUS_MAX = 32;

export function cpusOption(absent: number): OptionSpec {
  return { value: 'N', help: `CPU Workers, 1 to ${POOL_CPUS_MAX} (${absent})` };
}

/** What was given on a command line. Methods take an option's name without dashes. */
export class ParsedOptions {
  readonly switches: ReadonlySet<string>;
  /** All values given for an option, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  /** Everything after `--`, or null when there was none. */
  readonly rest: readonly string[] | null;

  constructor(parts: Pick<ParsedOptions, 'switches' | 'values' | 'positionals' | 'rest'>) {
    this.switches = parts.switches;
    this.values = parts.values;
    this.positionals = parts.positionals;
    this.rest = parts.rest;
  }

  has(name: string): boolean {
    return this.switches.has(name);
  }

  all(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  /** The value of an option that may be given once. */
  one(name: string): string | null {
    return this.all(name)[0] ?? null;
  }

  /** The option's parsed value, or the default. */
  read<Value>(name: string, absent: Value, parse: (text: string) => Value): Value {
    const text = this.one(name);
    return text === null ? absent : parse(text);
  }

  integer(name: string, absent: number, min: number, max: number): number {
    return this.read(name, absent, (text) => parseInteger(`--${name}`, text, min, max));
  }

  seed(): number {
    return this.integer('seed', SEED_DEFAULT, 0, SEED_MAX);
  }

  cpus(absent: number): number {
    return this.integer('cpus', absent, 1, POOL_CPUS_MAX);
  }

  milliseconds<Absent>(
    name: string,
    absent: Absent,
    secondsMax: number = SECONDS_MAX,
  ): number | Absent {
    return this.read<number | Absent>(name, absent, (text) =>
      parseSecondsMs(`--${name}`, text, secondsMax),
    );
  }

  bytes<Absent>(name: string, absent: Absent, min: number, max: number): number | Absent {
    return this.read<number | Absent>(name, absent, (text) =>
      parsePagesBytes(`--${name}`, text, min, max),
    );
  }

  /** One of `choices`. */
  choice<Choice extends string>(
    name: string,
    absent: Choice,
    choices: readonly Choice[],
    or = '',
  ): Choice {
    return this.read(name, absent, (text) => {
      const chosen = choices.find((choice) => choice === text);
      if (chosen !== undefined) return chosen;
      throw new UsageError(
        `--${name} must be ${or === '' ? choices.join(', ') : or}, got '${text}'`,
      );
    });
  }

  /** Whether an option is given, with a value or without. */
  isGiven(name: string): boolean {
    return this.has(name) || this.all(name).length > 0;
  }

  /** For a command that takes options only. */
  refuseArguments(command: string): void {
    const extra = this.positionals[0] ?? this.rest?.[0];
    if (extra !== undefined) throw new UsageError(`${command} takes no argument '${extra}'`);
  }
}

/** `command` is what the user types to get help, such as 'faultline run'. */
export function parseOptions(
  args: readonly string[],
  table: OptionTable,
  command: string,
): ParsedOptions {
  const end = args.indexOf('--');
  const { tokens } = parseArgs({
    args: [...(end < 0 ? args : args.slice(0, end))],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(table).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? 'boolean' : 'string', ...(short && { short }) } as const,
      ]),
    ),
  });

  const switches = new Set<string>();
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (spec === undefined) {
      const known = Object.keys(table).map((name) => `--${name}`);
      const hint = suggest(token.rawName, known) || `; see ${command} --help`;
      throw new UsageError(`unknown option ${token.rawName}${hint}`);
    }
    if (spec.value === undefined) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
      if (switches.has(token.name) && token.name !== 'help') {
        throw new UsageError(`--${token.name} is given twice`);
      }
      switches.add(token.name);
    } else {
      if (token.value === undefined) {
        throw new UsageError(`${token.rawName} needs a value: --${token.name} ${spec.value}`);
      }
      const before = values.get(token.name) ?? [];
      if (before[0] !== undefined && spec.repeatable === undefined) {
        const both = `${before[0]} and ${token.value}`;
        throw new UsageError(`--${token.name} is given twice, ${both}: leave one out`);
      }
      values.set(token.name, [...before, token.value]);
    }
  }
  const rest = end < 0 ? null : args.slice(end + 1);
  return new ParsedOptions({ switches, values, positionals, rest });
}

/** One line an option, names aligned. */
export function describeOptions(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, { value, short, help }]) => {
    const names = `${short === undefined ? '' : `-${short}, `}--${name}`;
    return { names: value === undefined ? names : `${names} ${value}`, help };
  });
  const width = Math.max(0, ...rows.map(({ names }) => names.length));
  return rows.map(({ names, help }) => `  ${names.padEnd(width)}  ${help}`).join('\n');
}
