/**
 * The program that `faultline stress` runs: a process that starts its threads, waits for them, and
 * sometimes kills one.
 */
import { MAP_PRIVATE, PROT_READ, defineProgram } from '../../workers/program.ts';
import type { ExitStatus, Proc, Program } from '../../workers/program.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { makeRandom } from '../../shared/random.ts';
import { Accesses } from './accesses.ts';
import { Ballast } from './ballast.ts';
import type { BallastTask } from './ballast.ts';
import type { ForkOrder } from './fork-knowledge.ts';
import { ForkedChild } from './forked-child.ts';
import { Forks } from './forks.ts';
import { Judge, Violation } from './judge.ts';
import { Operations } from './operations.ts';
import { Oracle } from './oracle.ts';
import type { StressTask } from './stress-task.ts';

/** The file of zeros, as the host hands it to the machine. */
const ZEROS = 'zeros';

type Task = StressTask | BallastTask | null;

const program: Program = defineProgram(async (proc: Proc, task: Task) => {
  if (task !== null && 'pages' in task) {
    const ballast = await Ballast.create(proc, task);
    return endOf(proc, new Oracle(task.oracle, 1), 'ballast', () => ballast.run());
  }
  const fd = await proc.open(ZEROS);
  if (task === null) return warmUp(proc, fd);
  const pids: number[] = [];
  for (let thread = 0; thread < task.threads; thread++) {
    pids.push(await proc.clone('worker', { args: [task, thread, fd] }));
  }
  const victim = pids[makeRandom(task.seed)(pids.length)];
  if (task.killAfterMs !== null && victim !== undefined) {
    await proc.nanosleep(task.killAfterMs * 1e6);
    // It may have ended by itself.
    await proc.kill(victim).catch(() => {});
  }
  let failures = 0;
  for (const pid of pids) {
    const { status } = await proc.wait(pid);
    if (status.code === 0) continue;
    if (task.killAfterMs !== null && pid === victim && isKill(status)) continue;
    failures++;
    // A thread that exits with 1 has said why.
    if (status.signal !== undefined) {
      proc.print(`process ${task.process}: a thread ended: ${JSON.stringify(status)}`);
    }
  }
  return failures === 0 ? 0 : 1;
});

function isKill(status: ExitStatus): boolean {
  return status.signal === 'SIGKILL' && status.reason === undefined;
}

/** Reads the whole file once, so that its pages are in memory before frames are counted. */
async function warmUp(proc: Proc, fd: number): Promise<number> {
  const { size } = await proc.fstat(fd);
  const at = await proc.mmap(0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  for (let offset = 0; offset < size; offset += PAGE_SIZE) proc.mem.load8(at + offset);
  return 0;
}

/** A thread's entry: works until it is told to stop. 0, or 1 after a violation, which it prints. */
export async function worker(
  proc: Proc,
  task: StressTask,
  thread: number,
  fd: number,
): Promise<number> {
  const oracle = new Oracle(task.oracle, task.threads);
  const random = makeRandom(task.seed * 31 + thread);
  const judge = new Judge(oracle, thread, task.isLazy);
  const context = { proc, task, thread, oracle, judge, fd, random };
  const accesses = new Accesses(context);
  const operations = new Operations(context);
  const forks = new Forks(context);
  return endOf(proc, oracle, `process ${task.process} thread ${thread}`, async () => {
    while (!oracle.isStopped()) {
      accesses.round();
      await operations.run();
      await forks.round();
    }
    await forks.end();
  });
}

/** Entry of a thread's forked child. */
export function forked(proc: Proc, order: ForkOrder): Promise<number> {
  const { task, thread } = order;
  const oracle = new Oracle(task.oracle, task.threads);
  const who = `process ${task.process} thread ${thread}`;
  return endOf(proc, oracle, who, () => new ForkedChild(proc, order).run());
}

/** Entry of the ballast's forked child. */
export function forkedBallast(
  proc: Proc,
  task: BallastTask,
  address: number,
  stored: Int32Array,
): Promise<number> {
  const ballast = new Ballast(proc, task, address, stored);
  return endOf(proc, new Oracle(task.oracle, 1), 'ballast', () => ballast.runChild());
}

/** Exit code of some work: 0, or 1 after a violation, which is printed and ends the others. */
async function endOf(
  proc: Proc,
  oracle: Oracle,
  who: string,
  work: () => Promise<void>,
): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    oracle.stop();
    proc.print(`${who}: ${error.message}`);
    return 1;
  }
}

export default program;
