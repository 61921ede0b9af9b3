/**
 * The host's processes, from outside: one that is root if we are, one that is not. Each runs the
 * sequences that it is given in order; several may wait, so that both sides work at once.
 *
 * Guarantees: a process that dies, or that cannot run a sequence, is replaced, and what it had not
 * answered is run again; what fails three times is answered with the reason.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { UNFIT } from './host-messages.ts';
import type { HostAnswer, HostRequest } from './host-messages.ts';

/** How often a sequence may kill its process. */
const DEATHS_MAX = 3;
/** A process that is silent for so long is stuck: its child has died. Far more than is needed. */
const SILENT_MS = 120_000;
/** Processes in a row that are unfit: one in nine is, unless the engine was built to be moved. */
const UNFIT_MAX = 40;
const UNFIT_ERROR =
  'the heap of this build of Node.js is where no sequence can use it; try --without brk';

/**
 * The allocator of the C library takes its memory in advance, and the engine does its work on one
 * thread: a process whose address space is full can map no more.
 */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_TOP_PAD_: String(64 * 2 ** 20),
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 30),
  MALLOC_ARENA_MAX: '1',
};
const ENGINE_FLAGS = ['--single-threaded', '--min-semi-space-size=16', '--max-semi-space-size=16'];

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Waiting {
  readonly request: HostRequest;
  readonly resolve: (answer: HostAnswer) => void;
  deaths: number;
}

export class HostClient {
  readonly #program: string;
  readonly #rights: string;
  readonly #waiting: Waiting[] = [];
  #child: Child | null = null;
  #directory: string | null = null;
  #isClosed = false;
  #unfit = 0;
  #watch: NodeJS.Timeout | null = null;
  /** Processes that died under a sequence. */
  deaths = 0;

  /** `program` is the path of the built difftest-host.ts. */
  constructor(program: string, privileged: boolean) {
    this.#program = program;
    this.#rights = privileged ? 'root' : 'user';
  }

  run(request: HostRequest): Promise<HostAnswer> {
    return new Promise((resolve) => {
      const waiting = { request, resolve, deaths: 0 };
      this.#waiting.push(waiting);
      if (this.#child === null) this.#start();
      else this.#send(waiting);
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#child?.kill('SIGKILL');
    this.#removeFiles();
  }

  #start(): void {
    const args = [...ENGINE_FLAGS, this.#program, this.#rights];
    const env = { ...process.env, ...ENVIRONMENT };
    // The last is /dev/null, open to read and to write: sequences try to map it.
    // In a group of its own: a terminal's Ctrl-C is for the command, which then ends it.
    const child = spawn(process.execPath, args, {
      ...{ env, detached: true },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child = child;
    this.#expect(child);
    // The death of a process is handled by `close` below.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => this.#receive(child, line));
    child.on('error', () => this.#lost(child));
    child.on('close', (status) => this.#lost(child, status));
    for (const waiting of this.#waiting) this.#send(waiting);
  }

  /** From now on the process has so long for its next answer. */
  #expect(child: Child): void {
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (this.#waiting.length > 0) child.kill('SIGKILL');
    }, SILENT_MS);
    this.#watch.unref();
  }

  #send({ request }: Waiting): void {
    this.#child?.stdin.write(`${JSON.stringify(request)}\n`);
  }

  #receive(child: Child, line: string): void {
    if (child !== this.#child) return;
    this.#expect(child);
    const answer = JSON.parse(line) as HostAnswer;
    if (answer.directory !== undefined) {
      this.#directory = answer.directory;
      return;
    }
    this.#unfit = 0;
    const first = this.#waiting[0];
    // It may be this process that cannot, with what its runtime has mapped: let another one try.
    if (answer.error !== undefined && first !== undefined && first.deaths + 1 < DEATHS_MAX) {
      first.deaths += 1;
      this.#restart();
      return;
    }
    this.#waiting.shift()?.resolve(answer);
    // It has used up its address space; a new one goes on.
    if (answer.isSpent === true) this.#restart();
  }

  #lost(child: Child, status: number | null = null): void {
    if (child !== this.#child || this.#isClosed) return;
    this.#child = null;
    if (status === UNFIT) this.#countUnfit();
    else this.#countDeath();
    this.#removeFiles();
    if (this.#waiting.length > 0) this.#start();
  }

  #countUnfit(): void {
    this.#unfit += 1;
    if (this.#unfit < UNFIT_MAX) return;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ error: UNFIT_ERROR });
  }

  #countDeath(): void {
    this.deaths += 1;
    const first = this.#waiting[0];
    if (first === undefined || (first.deaths += 1) < DEATHS_MAX) return;
    this.#waiting.shift();
    first.resolve({ error: 'the process died' });
  }

  #restart(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
    this.#removeFiles();
    if (this.#waiting.length > 0) this.#start();
  }

  #removeFiles(): void {
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = null;
  }
}
