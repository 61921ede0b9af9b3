/** The programs that `faultline run` knows by name, and the options each takes after `--`. */
import type { OptionTable } from './options.ts';
import { parseOptions } from './options.ts';
import { parseInteger, UsageError } from './usage-error.ts';

interface IntegerOption {
  readonly min: number;
  readonly max: number;
  readonly powerOfTwo?: true;
  readonly help: string;
}

export interface BuiltinProgram {
  readonly summary: string;
  readonly options: Readonly<Record<string, IntegerOption>>;
  /** Whether it reads a file, named by its one positional argument. */
  readonly takesFile: boolean;
  /** The option that its one positional argument stands for, if any. */
  readonly takes?: string;
}

const processes: IntegerOption = { min: 1, max: 64, help: 'child processes (4)' };

export const builtinPrograms: Readonly<Record<string, BuiltinProgram>> = {
  hello: {
    summary: 'map a page, write a greeting, print it',
    options: {},
    takesFile: false,
  },
  wordcount: {
    summary: 'count the words of a file in several processes, as wc -w does',
    options: { processes },
    takesFile: true,
  },
  matmul: {
    summary: 'multiply matrices in shared memory and check the product',
    options: { processes, size: { min: 1, max: 1024, help: 'rows and columns (96)' } },
    takesFile: false,
  },
  gc: {
    summary: 'a write barrier for garbage collection, by mprotect and SIGSEGV',
    options: {
      pages: { min: 1, max: 16384, help: 'pages of the heap (64)' },
      cycles: { min: 1, max: 1000, help: 'collections (8)' },
      writes: { min: 0, max: 1_000_000, help: 'stores between two collections (200)' },
    },
    takesFile: false,
  },
  sort: {
    summary: 'sort the lines of a file, which may be larger than memory, as LC_ALL=C sort does',
    options: { run: { min: 64, max: 65536, help: 'KiB that are sorted at once (1024)' } },
    takesFile: true,
  },
  cowtest: {
    summary: 'copy-on-write fork, tested from the inside',
    options: {
      pages: { min: 2, max: 1_000_000, help: 'pages in use when it forks (9000)' },
      generations: { min: 1, max: 1000, help: 'children of children (50)' },
    },
    takesFile: false,
  },
  lazytest: {
    summary: 'lazy allocation, tested from the inside',
    options: {
      mebibytes: { min: 1, max: 2 ** 20, help: 'size of the sparse mapping (1024)' },
      hungry: { min: 0, max: 2 ** 20, help: 'MiB that a child asks too much, 0 for none (256)' },
    },
    takesFile: false,
  },
  kv: {
    summary: 'a key-value store in shared memory, served by processes, checked by a model',
    options: {
      processes,
      operations: { min: 1, max: 10_000_000, help: 'requests (10000)' },
      keys: { min: 1, max: 100_000, help: 'different keys (500)' },
    },
    takesFile: false,
  },
  forkstorm: {
    summary: 'fork thousands of processes and count them back in',
    options: {
      processes: { min: 1, max: 1_000_000, help: 'children in all (1000)' },
      alive: { min: 1, max: 8000, help: 'most of them at once (64)' },
    },
    takesFile: false,
    takes: 'processes',
  },
  pipeline: {
    summary: 'producer, stages and consumer, joined by bounded queues on futexes',
    options: {
      items: { min: 0, max: 100_000_000, help: 'values that go through (20000)' },
      stages: { min: 0, max: 64, help: 'processes between the two ends (2)' },
      capacity: {
        ...{ min: 1, max: 65536, powerOfTwo: true },
        help: 'values in a queue, a power of two (64)',
      },
    },
    takesFile: false,
  },
  grind: {
    summary: 'random memory calls in parallel, checked against a model',
    options: {
      processes,
      rounds: { min: 1, max: 1_000_000, help: 'calls a process (2000)' },
      seconds: { min: 1, max: 604_800, help: 'how long, instead of how many calls' },
      pages: { min: 16, max: 65_536, help: 'pages that a process works on (64)' },
      forks: { min: 0, max: 8, help: 'children that a process forks at a time (0)' },
      kills: { min: 0, max: 100, help: 'percent of them that are killed (25)' },
    },
    takesFile: false,
  },
};

export function builtinProgram(name: string): BuiltinProgram | undefined {
  return Object.hasOwn(builtinPrograms, name) ? builtinPrograms[name] : undefined;
}

export function optionTable(program: BuiltinProgram): OptionTable {
  const entries = Object.entries(program.options);
  return Object.fromEntries(entries.map(([name, { help }]) => [name, { value: 'N', help }]));
}

export interface BuiltinArguments {
  /** What the program receives as its one argument, without the file. */
  readonly options: Readonly<Record<string, number>>;
  /** The file named by the user, if any. */
  readonly file: string | null;
}

/** Reads the words after `--` of a built-in program. */
export function parseBuiltinArguments(
  name: string,
  program: BuiltinProgram,
  words: readonly string[],
): BuiltinArguments {
  const command = `faultline run ${name}`;
  const { values, positionals: given } = parseOptions(words, optionTable(program), command);
  const positionals = [...given];
  const options: Record<string, number> = {};
  const read = (option: string, text: string, shown: string): void => {
    const range = program.options[option];
    if (range === undefined) return;
    if (options[option] !== undefined) throw new UsageError(`${name}: ${option} is given twice`);
    const value = parseInteger(shown, text, range.min, range.max);
    if (range.powerOfTwo && !Number.isInteger(Math.log2(value))) {
      throw new UsageError(`${shown} must be a power of two, got '${text}'`);
    }
    options[option] = value;
  };
  for (const [option, texts] of values) read(option, texts[0] ?? '', `--${option}`);
  const { takes } = program;
  if (takes !== undefined) {
    const number = positionals.shift();
    if (number !== undefined) read(takes, number, takes);
  }
  const [file = null, ...others] = positionals;
  if (file !== null && !program.takesFile) {
    throw new UsageError(`${name} takes no argument '${file}'; see ${command} --help`);
  }
  if (others.length > 0) {
    throw new UsageError(`${name} reads one file; '${others[0]}' is one too many`);
  }
  return { options, file };
}
