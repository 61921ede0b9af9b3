/**
 * A fuzz: rounds of random programs that make random calls with good and bad arguments. After each
 * round everything is killed, an audit runs, and every frame must be back.
 *
 * Guarantees: the programs of a round depend on seed and round alone; how real threads interleave
 * does not.
 */
import type { ExitStatus } from '../../workers/api/machine-api.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { makeRandom } from '../../shared/random.ts';
import { campaign, pause } from './campaign.ts';
import type { Campaign, CampaignOptions, CampaignResult } from './campaign.ts';
import type { FuzzTask } from './fuzz-program.ts';

const PROGRAM = new URL('./fuzz-program.js', import.meta.url);
const VIOLATION = 'fuzz violation: ';
const PROGRAMS_MIN = 2;
const PROGRAMS_SPREAD = 5;
const CALLS_MIN = 20;
const CALLS_SPREAD = 200;
const DEPTH = 2;
/** When a round ends at the latest: whatever sleeps is killed then. */
const ROUND_MS = 300;
const FILE_PAGES = 16;

/** What an argument's or a program's own mistake ends a process with. */
const OWN_MISTAKES =
  /^(SyscallError|TypeError|RangeError|MemoryFault|DataCloneError|its module (did|exports))\b/;
const OWN_SIGNALS = ['SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGSEGV', 'SIGBUS', 'SIGKILL'];

export interface FuzzOptions extends CampaignOptions {
  /** The only round to run; null: rounds from 1 on while there is time. */
  readonly round: number | null;
  /** RLIMIT_AS of the programs in bytes; 0: none. */
  readonly addressSpaceBytes: number;
}

export interface FuzzResult extends CampaignResult {
  readonly rounds: number;
  /** Syscalls that were carried out, refused ones included. */
  readonly calls: number;
  /** The round in which something was wrong; null without failures. */
  readonly failedRound: number | null;
}

/** Runs a fuzz on a machine of its own. `onProgress` is told the rounds done. */
export async function fuzz(
  options: FuzzOptions,
  signal: AbortSignal,
  onProgress: (rounds: number) => void,
): Promise<FuzzResult> {
  const first = options.round ?? 1;
  let round = first;
  let calls = 0;
  let judged = 0;
  let current: Campaign | null = null;
  const onPrint = (line: string): void => {
    if (line.startsWith(VIOLATION)) current?.fail(line.slice(VIOLATION.length));
  };
  const files = { data: new Uint8Array(FILE_PAGES * PAGE_SIZE) };
  const result = await campaign(options, signal, { files, onPrint }, async (run) => {
    current = run;
    await (await run.machine.spawn(PROGRAM, { args: [null] })).wait();
    await run.audit();
    while (!run.isOver) {
      judged = await playRound(run, options, round, judged);
      const { syscalls } = await run.machine.stats();
      calls = syscalls.reduce((sum, { count }) => sum + count, 0);
      if (run.failures.length > 0) return;
      onProgress(++round - first);
      if (options.round !== null) return;
    }
  });
  const failedRound = result.failures.length > 0 ? round : null;
  return { ...result, rounds: round - first, calls, failedRound };
}

/** Returns the latest pid; ends up to `judged` have been judged. */
async function playRound(
  run: Campaign,
  options: FuzzOptions,
  round: number,
  judged: number,
): Promise<number> {
  let last = judged;
  const random = makeRandom((Math.imul(options.seed, 65537) + round) >>> 0);
  const count = PROGRAMS_MIN + random(PROGRAMS_SPREAD);
  const programs = Array.from({ length: count }, () => ({
    task: {
      seed: random(2 ** 32),
      calls: CALLS_MIN + random(CALLS_SPREAD),
      depth: DEPTH,
      addressSpaceBytes: options.addressSpaceBytes,
    },
    lifeMs: random(4) === 0 ? ROUND_MS : random(ROUND_MS),
    dedicated: random(8) === 0,
  }));
  await Promise.all(programs.map((program) => runProgram(run, program)));
  await cleanUp(run);
  // A fork that was on its way may have made a file since.
  await run.outlive();
  await cleanUp(run);
  for (const { pid, status } of await run.outlive()) {
    if (status !== null && pid > judged) judge(run, pid, status);
    last = Math.max(last, pid);
  }
  await run.audit();
  return last;
}

async function runProgram(
  run: Campaign,
  program: { readonly task: FuzzTask; readonly lifeMs: number; readonly dedicated: boolean },
): Promise<void> {
  const { task, lifeMs, dedicated } = program;
  const process = await run.start(() =>
    run.machine.spawn(PROGRAM, { args: [task], name: 'fuzz', dedicated }),
  );
  if (process === null) return;
  const over = process.wait();
  await Promise.race([over, pause(lifeMs)]);
  run.killed++;
  // It may have ended by itself.
  process.kill().catch(() => {});
  await over;
  run.processes++;
}

/** Kills what the programs left, again if one of their signals meets the killer. */
async function cleanUp(run: Campaign): Promise<void> {
  for (;;) {
    const { processes } = await run.machine.stats();
    const alive = processes.filter(({ status }) => status === null).map(({ pid }) => pid);
    const cleaner = await run.start(() => run.machine.spawn(PROGRAM, { args: [alive] }));
    const status = await cleaner?.wait();
    if (status?.code !== undefined && alive.length === 0) return;
  }
}

function judge(run: Campaign, pid: number, status: ExitStatus): void {
  if (status.signal === undefined) return;
  const { signal, reason } = status;
  if (signal === 'SIGABRT' && OWN_MISTAKES.test(reason ?? '')) return;
  const isOwn = reason === undefined || signal === 'SIGSEGV' || signal === 'SIGBUS';
  if (OWN_SIGNALS.includes(signal) && (isOwn || reason.includes('out of memory'))) return;
  if (reason?.includes('did not react to') === true) run.unresponsive++;
  else run.fail(`process ${pid} ended: ${JSON.stringify(status)}`);
}
