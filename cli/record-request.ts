/** What the user asked `faultline record` to do: command line in, checked request out. */
import { basename } from 'node:path';
import { HELP_OPTION, describeOptions, parseOptions } from './options.ts';
import type { OptionTable } from './options.ts';
import { requireWritable } from './output-file.ts';
import { UsageError } from './usage-error.ts';

const recordOptions: OptionTable = {
  output: { value: 'FILE', help: 'where it goes (the command, and .strace.gz)' },
  accesses: { help: 'each load, store and instruction, by valgrind (slow and large)' },
  help: HELP_OPTION,
};

export interface RecordRequest {
  readonly command: readonly string[];
  readonly output: string;
  readonly accesses: boolean;
}

function recordHelp(): string {
  return `Usage: faultline record [options] -- COMMAND [ARGUMENTS]

Runs a command under strace and writes what it does with memory, with the areas after each execve
and before each end, into one compressed file for faultline replay. Needs Linux and strace 5 or
later; --accesses needs valgrind too.

Options (default):
${describeOptions(recordOptions)}

Examples:
  faultline record -- python3 -c 'print(sum(range(1000)))'
  faultline record --output sort.strace.gz -- sh -c 'ls / | sort'
  faultline replay sort.strace.gz

Exit status: 0 the recording is there, whatever the command's status; 1 it is not; 2 bad usage.`;
}

/** The request, or the help text that was asked for instead. Throws UsageError. */
export function parseRecord(args: readonly string[]): RecordRequest | string {
  const parsed = parseOptions(args, recordOptions, 'faultline record');
  if (parsed.has('help')) return recordHelp();
  const [extra] = parsed.positionals;
  if (extra !== undefined) {
    throw new UsageError(`the command comes after --: faultline record -- ${extra}`);
  }
  const command = parsed.rest ?? [];
  const [program] = command;
  if (program === undefined) {
    throw new UsageError('record what? faultline record -- COMMAND; see faultline record --help');
  }
  const accesses = parsed.has('accesses');
  const absent = `${basename(program)}.${accesses ? 'lackey' : 'strace'}.gz`;
  const output = parsed.one('output') ?? absent;
  requireWritable('output', output);
  return { command, output, accesses };
}
