/**
 * The differential test: sequences on this machine's Linux and on a simulated machine, compared
 * after each call; what differs is run again to be sure, and shrunk.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { capabilityMask } from '../../shared/abi/capabilities.ts';
import type { CapabilityName } from '../../shared/abi/capabilities.ts';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE } from '../../shared/abi/mman.ts';
import { PR_SET_VMA, PR_SET_VMA_ANON_NAME } from '../../shared/abi/prctl.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import type { NumericSyscall } from '../../shared/abi/syscalls.ts';
import { explain, firstDifference } from './compare.ts';
import { Coverage, EXPECTED } from './coverage.ts';
import { generateSequence } from './generator.ts';
import type { GeneratorOptions } from './generator.ts';
import { HostClient } from './host-client.ts';
import type { HostAnswer } from './host-messages.ts';
import { MachineRunner } from './machine-runner.ts';
import type { RunOptions } from './script.ts';
import { VARIED_CAPABILITIES } from './sequence.ts';
import type { Arg, Op, Outcome, Sequence } from './sequence.ts';
import { shrink } from './shrink.ts';

/** Everything that a sequence may contain. */
export const CALLS: readonly string[] = Object.keys(EXPECTED);

export interface DifftestOptions {
  /** Calls in all, about: the last sequence is run to its end. */
  readonly ops: number;
  readonly seed: number;
  /** Ends the test early; Infinity for never. */
  readonly durationMs: number;
  /** The test ends after this many different disagreements. */
  readonly failuresMax: number;
  /** Calls to leave out. */
  readonly without: readonly string[];
  readonly onProgress?: (ops: number) => void;
  /** Ends the test early when it is aborted. */
  readonly signal?: AbortSignal;
  /** Replaces the simulator, in tests of difftest itself. */
  readonly machine?: Pick<MachineRunner, 'has' | 'run'>;
  /** Path of the built difftest-host.ts, if it is not beside this file. */
  readonly hostProgram?: string;
}

export interface Disagreement {
  /** Of the sequence as generated. */
  readonly seed: number;
  /** The shortest found that shows it. */
  readonly sequence: Sequence;
  /** Call after which the sides differ; as many as there are calls: the looks at the end. */
  readonly at: number;
  readonly details: readonly string[];
}

export interface DifftestResult {
  readonly ops: number;
  readonly sequences: number;
  readonly wallMs: number;
  readonly disagreements: readonly Disagreement[];
  /** Sequences that differed once and not again: the host was disturbed. */
  readonly unstable: number;
  readonly hostDeaths: number;
  readonly coverage: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Calls that one of the kernels does not have. */
  readonly missing: readonly string[];
  /** What Linux answered to each of the sequences that were given; empty for generated ones. */
  readonly answers: readonly HostRecord[];
}

/** What a regression case keeps of a sequence's run on Linux. */
export interface HostRecord {
  /** For each call. */
  readonly results: readonly string[];
  /** After the last call: lines of maps, mincore's bits, pagemap's letters, lines of smaps. */
  readonly maps: readonly string[];
  readonly resident: readonly string[];
  readonly pagemap?: readonly string[];
  readonly smaps?: readonly string[];
}

/** Sequences in flight at a time, so that neither side waits while the other has no processor. */
const AHEAD = 32;
/** The machine is audited each time this many sequences have run. */
const AUDIT_EVERY = 16;
/** Where Linux allows more areas than these, no process is filled with them. */
const AREAS_MOST = 65_530;
/** Seeds of successive sequences: far apart, so that neighbours have nothing in common. */
const SEED_STEP = 0x9e37_79b9;

/** Built beside this file. */
const HOST_PROGRAM: string = fileURLToPath(new URL('./difftest-host.js', import.meta.url));

export class Difftest {
  readonly #options: DifftestOptions;
  readonly #machine: Pick<MachineRunner, 'has' | 'run'>;
  readonly #root: HostClient;
  readonly #user: HostClient;
  /**
   * For root with less than all capabilities: there, nothing that Linux counts as locked for ever
   * is left by other sequences.
   */
  readonly #limited: HostClient;
  readonly #has: RunOptions['has'];
  readonly #missing: string[] = [];
  readonly #coverage = new Coverage();
  readonly #disagreements: Disagreement[] = [];
  readonly #answers: HostRecord[] = [];
  /** One after the other: a second disagreement may turn out to be the same. */
  #reports: Promise<void> = Promise.resolve();
  #sequences = 0;
  #ops = 0;
  #unstable = 0;

  constructor(options: DifftestOptions) {
    this.#options = options;
    this.#machine = options.machine ?? new MachineRunner();
    const program = options.hostProgram ?? HOST_PROGRAM;
    this.#root = new HostClient(program, true);
    this.#user = new HostClient(program, false);
    this.#limited = new HostClient(program, true);
    const has = (call: string): boolean =>
      !(call in SYSCALLS) || this.#machine.has(SYSCALLS[call as NumericSyscall].number);
    this.#missing = CALLS.filter((call) => !has(call));
    const usesHeap = has('brk') && !options.without.includes('brk');
    this.#has = { brk: usesHeap, mincore: has('mincore'), setrlimit: has('setrlimit') };
  }

  async run(): Promise<DifftestResult> {
    const started = Date.now();
    const { seed, ops, durationMs, failuresMax } = this.#options;
    const generator = await this.#generator();
    const ahead: Promise<void>[] = [];
    let planned = 0;
    for (let i = 0; planned < ops && this.#disagreements.length < failuresMax; i++) {
      if (Date.now() - started >= durationMs || this.#options.signal?.aborted) break;
      const own = (seed + i * SEED_STEP) >>> 0;
      const sequence = generateSequence(own, generator);
      planned += sequence.ops.length;
      ahead.push(this.#judge(own, sequence, i % AUDIT_EVERY === 0));
      if (ahead.length >= AHEAD) await ahead.shift();
    }
    await Promise.all(ahead);
    return this.#result(started);
  }

  /** Runs given sequences, without shrinking what differs. */
  async replayAll(sequences: readonly Sequence[]): Promise<DifftestResult> {
    const started = Date.now();
    for (const sequence of sequences) {
      if (this.#options.signal?.aborted) break;
      const answer = await this.replay(sequence, this.#answers);
      this.#sequences += 1;
      this.#ops += sequence.ops.length;
      if (answer === null) continue;
      const { at, details } = answer;
      this.#disagreements.push({ seed: 0, sequence, at, details });
    }
    return this.#result(started);
  }

  #result(started: number): DifftestResult {
    return {
      ops: this.#ops,
      sequences: this.#sequences,
      wallMs: Date.now() - started,
      disagreements: this.#disagreements,
      unstable: this.#unstable,
      hostDeaths: this.#root.deaths + this.#user.deaths + this.#limited.deaths,
      coverage: this.#coverage.table(),
      missing: this.#missing,
      answers: this.#answers,
    };
  }

  /** Runs one sequence on both sides and returns how they differ; null when they agree. */
  async replay(sequence: Sequence, answers: HostRecord[] = []): Promise<Seen | null> {
    const options = { verbose: true, has: this.#has };
    const answer = await this.#host(sequence, options);
    const { outcomes, failure } = this.#machine.run(sequence, options, true);
    if (answer.outcomes === undefined) {
      return { at: 0, details: [`Linux: ${answer.error}`], isRefused: true };
    }
    answers.push(recordOf(sequence, answer.outcomes));
    if (failure !== null) return { at: 0, details: [`Faultline: ${failure}`] };
    const at = firstDifference(answer.outcomes, outcomes);
    return at < 0 ? null : { at, details: explain(answer.outcomes[at], outcomes[at]) };
  }

  close(): void {
    this.#root.close();
    this.#user.close();
    this.#limited.close();
  }

  #host(sequence: Sequence, options: RunOptions): Promise<HostAnswer> {
    const { privileged, capabilities } = sequence;
    const root = capabilities === undefined ? this.#root : this.#limited;
    return (privileged ? root : this.#user).run({ sequence, options });
  }

  async #generator(): Promise<GeneratorOptions> {
    const low = { base: 'low', plus: 0 } as const;
    const sequence = { privileged: true, eager: false, ops: probes(low) };
    const { outcomes, error } = await this.#host(sequence, { verbose: false, has: this.#has });
    if (error !== undefined) throw new Error(`the host's process cannot run: ${error}`);
    if (outcomes?.[0]?.result === 'ENOSYS') this.#missing.push('mseal');
    // A kernel without CONFIG_ANON_VMA_NAME.
    if (outcomes?.[2]?.result === 'EINVAL') this.#missing.push('prctl');
    const absent = [...this.#missing, ...this.#options.without];
    const calls = CALLS.filter((call) => !absent.includes(call));
    return {
      calls: new Set(calls),
      mayBePrivileged: process.getuid?.() === 0,
      capabilities: heldCapabilities(),
      mayBeCrowded: Number(readFileSync('/proc/sys/vm/max_map_count', 'latin1')) <= AREAS_MOST,
    };
  }

  async #judge(seed: number, sequence: Sequence, audited: boolean): Promise<void> {
    const options = { verbose: false, has: this.#has };
    const answer = this.#host(sequence, options);
    const { outcomes, failure } = this.#machine.run(sequence, options, audited);
    const host = (await answer).outcomes;
    this.#sequences += 1;
    this.#ops += sequence.ops.length;
    if (this.#sequences % 100 === 0) this.#options.onProgress?.(this.#ops);
    const agrees = host !== undefined && failure === null && firstDifference(host, outcomes) < 0;
    if (agrees) this.#coverage.add(sequence, host);
    else await (this.#reports = this.#reports.then(() => this.#report(seed, sequence)));
  }

  async #report(seed: number, sequence: Sequence): Promise<void> {
    if (this.#disagreements.length >= this.#options.failuresMax) return;
    const seen = await this.replay(sequence);
    if (seen === null) {
      this.#unstable += 1;
      return;
    }
    const kind = kindOf(sequence, seen);
    // What the host cannot run is shown whole: a shorter one may fail for another reason.
    const shortest = seen.isRefused
      ? sequence
      : await shrink(sequence, async (one) => {
          const again = await this.replay(one);
          return again !== null && kindOf(one, again) === kind;
        });
    const { at, details } = (await this.replay(shortest)) ?? seen;
    const disagreement = { seed, sequence: shortest, at, details };
    const signatures = this.#disagreements.map(signature);
    if (!signatures.includes(signature(disagreement))) this.#disagreements.push(disagreement);
  }
}

/** Calls that some kernels lack: mseal, then a name for an area. */
function probes(low: Arg): Op[] {
  return [
    { call: 'mseal', args: [low, 0, 0] },
    { call: 'mmap', args: [low, PAGE_SIZE, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0] },
    { call: 'prctl', args: [PR_SET_VMA, PR_SET_VMA_ANON_NAME, low, PAGE_SIZE, 0] },
  ];
}

/** Containers take some away, even from root. */
function heldCapabilities(): CapabilityName[] {
  const text = readFileSync('/proc/self/status', 'latin1');
  const mask = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(text)?.[1] ?? '0'}`);
  return VARIED_CAPABILITIES.filter((name) => (mask & BigInt(capabilityMask([name]))) !== 0n);
}

function recordOf({ ops }: Sequence, outcomes: readonly Outcome[]): HostRecord {
  const {
    maps = [],
    resident = [],
    pagemap = [],
    smaps = [],
  } = outcomes[ops.length - 1]?.state ?? {};
  const results = outcomes.slice(0, ops.length).map(({ result }) => result);
  return { results, maps, resident, pagemap, smaps };
}

interface Seen extends Pick<Disagreement, 'at' | 'details'> {
  /** The host's process could not run the sequence at all. */
  readonly isRefused?: boolean;
}

/** What a shrunk sequence must have in common with the one it comes from. */
function kindOf({ ops }: Sequence, { at, details }: Seen): string {
  const first = details[0] ?? '';
  const what = first.startsWith('result') ? first : first.split(/[: ]/)[0];
  return `${ops[at]?.call ?? 'at the end'} ${what}`;
}

/** Equal for disagreements that are probably the same. */
function signature(disagreement: Disagreement): string {
  const calls = disagreement.sequence.ops.map(({ call }) => call);
  return `${calls.join(' ')} ${kindOf(disagreement.sequence, disagreement)}`;
}
