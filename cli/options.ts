/**
 * Command-line options as tables: one table drives parsing, its error messages and the help text.
 * Parsing is node:util's; the messages are ours, because each must say what to do in one line.
 */
import { parseArgs } from 'node:util';
import { suggest, UsageError } from './usage.ts';

export interface OptionSpec {
  /** Name of the value in the help text; an option without one is a switch. */
  readonly value?: string;
  readonly help: string;
  readonly short?: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export interface ParsedOptions {
  readonly switches: ReadonlySet<string>;
  /** All values given for an option, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  /** Everything after `--`, or null when there was none. */
  readonly rest: readonly string[] | null;
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
      switches.add(token.name);
    } else {
      if (token.value === undefined) {
        throw new UsageError(`${token.rawName} needs a value: --${token.name} ${spec.value}`);
      }
      values.set(token.name, [...(values.get(token.name) ?? []), token.value]);
    }
  }
  return { switches, values, positionals, rest: end < 0 ? null : args.slice(end + 1) };
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
