/** What the user asked `faultline difftest` to do: command line in, checked request out. */
import { CALLS } from '../lab/difftest/difftest.ts';
import { INTERRUPTED_HELP } from './interruption.ts';
import { HELP_OPTION, JSON_OPTION, describeOptions, parseOptions, seedOption } from './options.ts';
import type { OptionTable } from './options.ts';
import { UsageError, suggest } from './usage-error.ts';

const opsMax = 1e9;
const failuresMax = 100;

const difftestOptions: OptionTable = {
  ops: { value: 'N', help: 'calls in all, on each side (10000)' },
  seconds: { value: 'N', help: 'end after so long, whatever --ops says' },
  seed: seedOption('all choices'),
  failures: { value: 'N', help: 'end after so many different disagreements (3)' },
  without: { value: 'CALL', help: 'leave a call out; may be repeated', repeatable: true },
  replay: { value: 'FILE', help: 'run the sequences of a JSON file instead' },
  json: JSON_OPTION,
  help: HELP_OPTION,
};

export interface DifftestRequest {
  readonly ops: number;
  /** Infinity for no limit. */
  readonly durationMs: number;
  readonly seed: number;
  readonly failuresMax: number;
  readonly without: readonly string[];
  /** Path of a file with sequences, null to generate them. */
  readonly replay: string | null;
  readonly json: boolean;
}

function difftestHelp(): string {
  return `Usage: faultline difftest [options]

Runs random sequences of memory syscalls on a simulated machine and on the Linux that this command
runs on, and compares after each call: its result, the areas in /proc/PID/maps, residency, the
bytes of every page, and which accesses fault with which signal and code. A disagreement is shrunk
to the shortest sequence and printed as code for both sides.

Options (default):
${describeOptions(difftestOptions)}

The file of --replay holds an array of sequences, as --json prints them.

Needs Linux on x86-64 and the optional dependency koffi. The machine was made after Linux 6.18;
another version may differ where the kernel has changed.

Exit status: 0 the sides agree, 1 they do not, 2 bad usage or not such a system.
${INTERRUPTED_HELP}`;
}

/** The request, or the help text that was asked for instead. Throws UsageError. */
export function parseDifftest(args: readonly string[]): DifftestRequest | string {
  const parsed = parseOptions(args, difftestOptions, 'faultline difftest');
  if (parsed.has('help')) return difftestHelp();
  parsed.refuseArguments('difftest');
  const without = parsed.all('without');
  for (const call of without) {
    if (CALLS.includes(call)) continue;
    throw new UsageError(`no call is named '${call}'${suggest(call, CALLS)}`);
  }
  return {
    ops: parsed.integer('ops', 10_000, 1, opsMax),
    durationMs: parsed.milliseconds('seconds', Infinity),
    seed: parsed.seed(),
    failuresMax: parsed.integer('failures', 3, 1, failuresMax),
    without,
    replay: parsed.one('replay'),
    json: parsed.has('json'),
  };
}
