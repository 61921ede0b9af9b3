/** The steps of a sequence's calls and of the looks between them, and what their results mean. */
import { errnoName } from '../../shared/abi/errno.ts';
import { MMAP_MIN_ADDR, PAGE_SIZE } from '../../shared/limits.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import type { NumericSyscall } from '../../shared/abi/syscalls.ts';
import { Capture } from './capture.ts';
import { hex } from './maps-text.ts';
import type { Placed } from './maps-text.ts';
import { preparedFor, takenArguments } from './prepared-memory.ts';
import { checkSafe } from './safety.ts';
import type { Arena } from './safety.ts';
import { marksPages } from './smaps-text.ts';
import { SCRATCH_PAGES } from './sequence.ts';
import type { Arg, Op, Outcome, Sequence } from './sequence.ts';
import { accessResult } from './steps.ts';
import type { Step, StepArg, StepResult } from './steps.ts';
import type { Place } from './subject.ts';

export const ELSEWHERE = 'elsewhere';

export interface Setting {
  readonly place: Place;
  readonly windows: readonly Placed[];
  /** Bytes in use when the sequence begins, of what RLIMIT_AS and RLIMIT_DATA limit. */
  readonly usage: { readonly as: number; readonly data: number };
}

const ADDRESSES = new Set(['mmap', 'mremap', 'brk']);
/** Where in each page the last look leaves its mark. */
const MARK_AT = 8;

export class OpSteps implements Arena {
  readonly #steps: Step[];
  readonly #setting: Setting;
  readonly #reads: ((results: readonly StepResult[]) => string)[] = [];
  readonly #captures: Capture[] = [];

  /** Adds to `steps`. */
  constructor(steps: Step[], setting: Setting) {
    this.#steps = steps;
    this.#setting = setting;
  }

  get taskEnd(): number {
    return this.#setting.place.taskEnd;
  }

  contains(start: number, end: number): boolean {
    const { scratch } = this.#setting.place;
    const scratchEnd = scratch + SCRATCH_PAGES * PAGE_SIZE;
    if (start >= scratch && end <= scratchEnd) return true;
    return this.#setting.windows.some((window) => start >= window.start && end <= window.end);
  }

  run(sequence: Sequence, mincore: boolean): void {
    const { windows, place } = this.#setting;
    const smaps = sequence.smaps === true;
    const isMarked = sequence.ops.some(marksPages);
    let isForked = false;
    const look = (readAll: boolean): void => {
      const options = { windows, scratch: place.scratch, readAll, mincore, smaps, isMarked };
      this.#captures.push(new Capture(this.#steps, options));
    };
    const lookAtAll = (): void => {
      this.#reads.push(() => 'all pages read');
      look(true);
      this.#mark();
      look(true);
    };
    let isChild = false;
    for (const op of sequence.ops) {
      if (op.call === 'fork' && isForked) throw new Error('only one fork in a sequence');
      if (isForked && isChild !== (op.child === true)) {
        this.#steps.push({ kind: 'switch' });
        isChild = !isChild;
      }
      this.#call(op);
      isForked ||= op.call === 'fork';
      look(sequence.eager);
    }
    if (isForked) {
      if (!isChild) this.#steps.push({ kind: 'switch' });
      lookAtAll();
      this.#steps.push({ kind: 'switch' }, { kind: 'join' });
    }
    lookAtAll();
  }

  read(results: readonly StepResult[], verbose: boolean): Outcome[] {
    return this.#reads.map((read, i) => {
      const result = read(results);
      const capture = this.#captures[i] as Capture;
      if (verbose) return { result, digest: 0, state: capture.state(results) };
      return { result, digest: capture.digest(results), state: null };
    });
  }

  #call(op: Op): void {
    const known = op.args.map((arg) => this.#resolve(arg));
    checkSafe(op.call, known, this);
    const [a = 0, b = 0] = known;
    const { slot } = op;
    if (slot !== undefined) {
      this.#steps.push({ kind: 'call', number: SYSCALLS.close.number, args: [{ slot }] });
      this.#steps.push({ kind: 'forget', slot });
    }
    const memory = preparedFor(op.call, known);
    if (memory !== null) this.#steps.push({ kind: 'store', ...memory });
    const at = this.#steps.push(this.#step(op, a, b)) - 1;
    if (memory !== null) {
      // Numbers in it differ between the two sides.
      const bytes = memory.bytes.map(() => 0);
      this.#steps.push({ kind: 'store', address: memory.address, bytes });
    }
    const [fd] = op.args;
    if (op.call === 'close' && typeof fd === 'object') {
      this.#steps.push({ kind: 'forget', slot: fd.plus });
    }
    this.#reads.push((results) => this.#describe(op, results[at] as number));
  }

  #step(op: Op, a: number, b: number): Step {
    const { slot } = op;
    switch (op.call) {
      case 'fork':
        return { kind: 'fork' };
      case 'load':
        return { kind: 'load', address: a };
      case 'store':
        return { kind: 'store', address: a, bytes: [b] };
      case 'memfd_create':
        return { kind: 'named', call: 'memfd_create', name: `m${a}`, flags: b, slot };
      case 'open':
        return { kind: 'named', call: 'open', name: fileName(a), flags: b, slot };
      case 'unlink':
        return { kind: 'named', call: 'unlink', name: fileName(a), flags: 0 };
      default: {
        const { number } = SYSCALLS[op.call as NumericSyscall];
        const count = takenArguments(op.call, op.args.length);
        const args = op.args.slice(0, count).map((arg) => this.#stepArg(arg));
        return { kind: 'call', number, args };
      }
    }
  }

  #stepArg(arg: Arg): StepArg {
    if (typeof arg === 'object' && arg.base === 'fd') return { slot: arg.plus };
    return this.#resolve(arg);
  }

  /** The number; -1 for a descriptor, which is known only when the steps are carried out. */
  #resolve(arg: Arg): number {
    if (typeof arg === 'number') return arg;
    const { base, plus } = arg;
    const { place, usage } = this.#setting;
    if (base === 'fd') return -1;
    if (base === 'task') return place.taskEnd + plus;
    if (base === 'as' || base === 'data') return usage[base] + plus;
    if (base === 'scratch') return place.scratch + plus;
    const window = this.#setting.windows.find(({ name }) => name === base);
    if (window === undefined) throw new Error(`no window is called ${base}`);
    return window.start + plus;
  }

  /** Another mark into each page: shows which can be written, and which are the same. */
  #mark(): void {
    const first = this.#steps.length;
    let mark = 0;
    for (const { start, end } of this.#setting.windows) {
      for (let page = start; page < end; page += PAGE_SIZE) {
        mark += 1;
        this.#steps.push({ kind: 'store', address: page + MARK_AT, bytes: [mark] });
      }
    }
    const last = this.#steps.length;
    this.#reads.push((results) =>
      results
        .slice(first, last)
        .map((result) => accessResult(result as number))
        .join(' '),
    );
  }

  #describe(op: Op, value: number): string {
    if (op.call === 'load' || op.call === 'store') return accessResult(value);
    if (value < 0) return errnoName(-value);
    if (op.call === 'fork') return 'a child';
    if (op.slot !== undefined) return 'a descriptor';
    if (!ADDRESSES.has(op.call) || value < MMAP_MIN_ADDR) return String(value);
    for (const { name, start, end } of this.#setting.windows) {
      if (value >= start && value <= end) return `${name}+${hex(value - start)}`;
    }
    return `${ELSEWHERE} ${hex(value)}`;
  }
}

export function fileName(number: Arg | undefined): string {
  return typeof number === 'number' ? `f${number}` : 'f';
}
