/**
 * The program of a fuzz: draws calls and carries them out, by message, by trap and locally. It
 * prints what a call must not answer; errors that a caller's mistake may have are all right.
 */
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MemoryFault,
  PROT_READ,
  PROT_WRITE,
  ProcessKilled,
  RLIMIT_AS,
  SyscallError,
} from '../../workers/program.ts';
import type { Proc } from '../../workers/program.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { makeRandom } from '../../shared/random.ts';
import { FUZZ_NAMES, drawAccess, drawMethod, drawStart } from './fuzz-calls.ts';
import type { CallContext, DrawnCall, Loose } from './fuzz-calls.ts';
import { THROWN, argument, badNames } from './fuzz-values.ts';
import type { Known, Random } from './fuzz-values.ts';

/** What a program is told. */
export interface FuzzTask {
  readonly seed: number;
  readonly calls: number;
  /** Generations of children that it may have. */
  readonly depth: number;
  /** RLIMIT_AS in bytes: how much a call on a range can be asked to do. 0: unlimited. */
  readonly addressSpaceBytes: number;
}

/** Begins a printed line that tells a violation. */
const FUZZ_VIOLATION = 'fuzz violation: ';

const ARENA_PAGES = 64;
const CHILDREN_MAX = 3;
const KNOWN_MAX = 12;
/** Longest time that a call is awaited: some never settle. */
const PATIENCE_MS = 3;
/** Messages of TypeErrors and RangeErrors that come from a mistake in the machine's own code. */
const INTERNAL = /Cannot (read|set) |is not (a function|iterable|a constructor)|undefined is/;

class Fuzz implements CallContext {
  readonly proc: Proc;
  readonly random: Random;
  readonly known: Known;
  readonly #task: FuzzTask;
  #children = 0;

  constructor(proc: Proc, task: FuzzTask, known: Known) {
    this.proc = proc;
    this.#task = task;
    this.known = known;
    this.random = makeRandom(task.seed);
  }

  childArguments(): readonly unknown[] | null {
    const { calls, depth, addressSpaceBytes } = this.#task;
    if (depth === 0 || ++this.#children > CHILDREN_MAX) return null;
    const task: FuzzTask = {
      seed: this.random(2 ** 32),
      calls: calls >> 1,
      depth: depth - 1,
      addressSpaceBytes,
    };
    return [task, this.known];
  }

  async run(): Promise<void> {
    for (let call = 0; call < this.#task.calls; call++) {
      const drawn = this.#draw();
      try {
        const result = drawn.start();
        if (result instanceof Promise) await this.#await(drawn.what, result as Promise<unknown>);
        else this.#accept(drawn.what, result);
      } catch (error) {
        this.#judge(drawn.what, error);
      }
    }
  }

  #draw(): DrawnCall {
    const draw = this.random(16);
    if (draw < 4) return drawAccess(this);
    if (draw < 6) return drawMethod(this);
    if (draw === 6) return drawStart(this);
    return this.#drawSyscall();
  }

  /** One of the table, or futexWait, in one of the three ways. */
  #drawSyscall(): DrawnCall {
    const { proc, random, known } = this;
    const specs = Object.values(SYSCALLS);
    const index = random(specs.length + 1);
    const method = specs[index]?.method ?? 'futexWait';
    const names = specs[index]?.names ?? ['address', 'expected', 'timeout'];
    const way = random(3);
    const target = [proc, proc.sync, proc.local][way] as unknown as Loose;
    const args = names.map((name) => argument(random, known, method, name));
    const what = `${['', 'sync.', 'local.'][way]}${method}`;
    return { what, start: () => Reflect.apply(target[method]!, target, args) };
  }

  /** Settled or not: a program goes on, as one that forgets to await does. */
  async #await(what: string, result: Promise<unknown>): Promise<void> {
    const settled = result.then(
      (value) => this.#accept(what, value),
      (error: unknown) => this.#judge(what, error),
    );
    if (this.random(4) === 0) return;
    await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  }

  #accept(what: string, result: unknown): void {
    if (typeof result !== 'number') return;
    const isMemory = /^(load|atomic)/.test(what);
    const isResult = Number.isSafeInteger(result) && result >= 0;
    if (!isMemory && !isResult) return this.#report(what, `answered ${result}`);
    const { addresses, fds, pids } = this.known;
    if (/m(re)?map$/.test(what)) remember(addresses, result);
    if (/^(open|memfdCreate|pager)|dup$/.test(what)) remember(fds, result);
    if (/^(fork|clone|spawn)$/.test(what)) remember(pids, result);
  }

  /** Rethrows what ends this process; all else must be a caller's mistake, said in its terms. */
  #judge(what: string, error: unknown): void {
    if (error instanceof ProcessKilled) throw error;
    if (error instanceof SyscallError || error instanceof MemoryFault) return;
    if (!(error instanceof Error)) return this.#report(what, 'threw what is no Error');
    if (error.message === THROWN || error.name === 'DataCloneError') return;
    // What is no array has no length: the engine says so.
    if (/^(write|readInto)$/.test(what) && error instanceof TypeError) return;
    // BigInt()'s, for a string that is no number.
    if (what === 'store64' && error instanceof SyntaxError) return;
    const isMistake = error instanceof TypeError || error instanceof RangeError;
    if (isMistake && !INTERNAL.test(error.message)) return;
    this.#report(what, (error.stack ?? error.message).replaceAll('\n', ' |'));
  }

  #report(what: string, text: string): void {
    this.proc.print(`${FUZZ_VIOLATION}${what}: ${text}`);
  }
}

function remember(list: number[], value: number): void {
  list.push(value);
  if (list.length > KNOWN_MAX) list.splice(1, 1);
}

/** Entry of children and threads. */
export async function child(proc: Proc, task: FuzzTask | undefined, known: Known): Promise<number> {
  if (task === undefined) return 0;
  await new Fuzz(proc, task, known ?? (await begin(proc, task))).run();
  return 0;
}

async function begin(proc: Proc, task: FuzzTask): Promise<Known> {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const bytes = ARENA_PAGES * PAGE_SIZE;
  const at = await proc.mmap(0, bytes, PROT_READ | PROT_WRITE, flags);
  if (task.addressSpaceBytes > 0) {
    proc.mem.store64(at, BigInt(task.addressSpaceBytes));
    proc.mem.store64(at + 8, BigInt(task.addressSpaceBytes));
    await proc.setrlimit(RLIMIT_AS, at);
  }
  const fd = await proc.open('data');
  return { addresses: [at], fds: [1, fd], pids: [proc.pid] };
}

/** Reads the whole of the host's file: its pages are in memory before frames are counted. */
async function warmUp(proc: Proc): Promise<number> {
  const { fds } = await begin(proc, { seed: 0, calls: 0, depth: 0, addressSpaceBytes: 0 });
  const fd = fds[1] as number;
  const { size } = await proc.fstat(fd);
  const at = await proc.mmap(0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  for (let offset = 0; offset < size; offset += PAGE_SIZE) proc.mem.load8(at + offset);
  return 0;
}

/** Ends what a round left: processes whose parents are gone, and files by name. */
async function cleanUp(proc: Proc, pids: readonly number[]): Promise<number> {
  await Promise.all(pids.map((pid) => proc.kill(pid).catch(() => {})));
  const names = [...FUZZ_NAMES, ...badNames(), '[object Object]'].filter((name) => name !== 'data');
  const pagers = names.map((name) => `/pager/${name}`);
  await Promise.all([...names, ...pagers].map((name) => proc.unlink(name).catch(() => {})));
  return 0;
}

/** With a list of pids it cleans up; with null it warms up. */
export default async function program(
  proc: Proc,
  task: FuzzTask | readonly number[] | null | undefined,
): Promise<number> {
  if (task === undefined) return 0;
  if (task === null) return warmUp(proc);
  if (Array.isArray(task)) return cleanUp(proc, task as readonly number[]);
  return child(proc, task as FuzzTask, undefined as unknown as Known);
}
