/**
 * From a sequence to the steps that one process has to take, and from their results to outcomes.
 *
 * While the script runs, no address is free but those in the windows: everything else is filled.
 * A process of the host, with all that its runtime has mapped, and one of the machine then place
 * mappings by the same choices. Fences of another kind lie around each window, so that no area
 * merges with the filling.
 */
import { EEXIST, errnoName } from '../../shared/abi/errno.ts';
import { MMAP_MIN_ADDR, PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { panic } from '../../shared/panic.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { gapsBetween, hex, parseMaps } from './maps-text.ts';
import type { MapsLine, Placed } from './maps-text.ts';
import { ELSEWHERE, OpSteps, fileName } from './op-steps.ts';
import { wideBytes } from './prepared-memory.ts';
import {
  CROWD,
  CROWD_PAGES,
  HEAP_PAGES,
  HIGH,
  LOW,
  SCRATCH_AREA_PAGES,
  SCRATCH_PAGES,
  SLOTS,
  VARIED_CAPABILITIES,
} from './sequence.ts';
import type { Outcome, Sequence } from './sequence.ts';
import { lastAreaIn } from './smaps-text.ts';
import type { Step, StepResult } from './steps.ts';
import type { Place, Subject } from './subject.ts';
import { NO_RLIMIT_USE, needsRlimitUse, rlimitUseIn, rlimitUseOf } from './rlimit-use.ts';
import type { RlimitUse } from './rlimit-use.ts';

export interface RunOptions {
  /** Give whole states instead of digests. */
  readonly verbose: boolean;
  /** Syscalls that only one of the two kernels has are left out. */
  readonly has: {
    readonly brk: boolean;
    readonly mincore: boolean;
    readonly setrlimit: boolean;
  };
}

export interface Ran {
  readonly outcomes: Outcome[];
  /** False when sealed areas were left behind. */
  readonly isEmpty: boolean;
  /** False when something was placed in a hole between the windows. */
  readonly isComparable: boolean;
}

const RW: number = M.PROT_READ | M.PROT_WRITE;
const HERE: number = M.MAP_ANONYMOUS | M.MAP_FIXED_NOREPLACE;
const FILL: number = M.MAP_PRIVATE | M.MAP_NORESERVE | HERE;
const FENCE: number = M.MAP_SHARED | HERE;
/** Resource, soft and hard limit (-1: none) with which a sequence begins. */
const LIMITS: readonly (readonly [number, number, number])[] = [
  [M.RLIMIT_AS, -1, -1],
  [M.RLIMIT_DATA, -1, -1],
  [M.RLIMIT_STACK, 2 ** 23, -1],
  [M.RLIMIT_MEMLOCK, 2 ** 23, 2 ** 23],
];
/** Attempts: the host's runtime may map something while its address space is being filled. */
const ATTEMPTS = 40;

/** The outcomes: one for each call, then two for looks at every page (op-steps.ts). */
export function runSequence(subject: Subject, sequence: Sequence, options: RunOptions): Ran {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const script = new Script(subject, sequence, options);
    const body = subject.prepare(script.steps);
    // As late as possible: until then the runtime around us may map and unmap memory.
    script.planFilling(parseMaps(subject.maps()));
    const filling = subject.prepare(script.filling);
    const clearing = subject.prepare(script.clearing);
    const crowd = sequence.room === undefined ? null : subject.prepareCrowd();
    // And from here on the runtime can map no memory.
    filling.run();
    const isFilled = script.isFilled(filling.read());
    if (isFilled) {
      crowd?.run();
      body.run();
      clearing.run();
      const isSteady = script.isSteady(subject) || attempt + 1 === ATTEMPTS;
      const results = body.read();
      const isWhole = script.seesWindows(results);
      if (!isWhole) subject.seeMore();
      const ran = script.read(results, attempt + 1 === ATTEMPTS);
      if (isSteady && isWhole && ran.isComparable) return ran;
      // Areas that it sealed would be in the way of the next attempt.
      if (!ran.isEmpty && !subject.nextPlace()) panic('difftest: all windows are sealed');
    } else {
      subject.prepare(script.undoFilling(filling.read())).run();
    }
  }
  return panic('difftest: the address space cannot be filled');
}

interface Mapping {
  readonly start: number;
  readonly size: number;
  readonly prot: number;
  readonly flags: number;
}

class Script {
  readonly steps: Step[] = [];
  readonly filling: Step[] = [];
  readonly clearing: Step[] = [];
  readonly #options: RunOptions;
  readonly #place: Place;
  readonly #windows: Placed[] = [];
  readonly #rlimitUse: RlimitUse;
  /** Whether the sequence's limits are counted from what is in use. */
  readonly #needsRlimitUse: boolean;
  readonly #body: OpSteps;
  readonly #room: number | undefined;
  /** Steps that find out whether a window could be unmapped. */
  readonly #unmaps: number[] = [];

  constructor(subject: Subject, sequence: Sequence, options: RunOptions) {
    this.#options = options;
    const place = subject.place();
    this.#place = place;
    this.#window(LOW.name, place.low, LOW.pages);
    this.#window(HIGH.name, place.high, HIGH.pages);
    if (options.has.brk) this.#window('heap', heapStart(place), HEAP_PAGES);
    this.#needsRlimitUse = needsRlimitUse(sequence);
    this.#rlimitUse = this.#needsRlimitUse
      ? this.#measure(subject.status(), parseMaps(subject.maps()))
      : NO_RLIMIT_USE;
    this.#room = sequence.room;
    this.#open(sequence);
    const windows = this.#windows;
    this.#body = new OpSteps(this.steps, { place, windows, usage: this.#rlimitUse });
    this.#body.run(sequence, options.has.mincore);
    this.#close(sequence);
  }

  /** Plans how to fill what these lines leave free, and how to clear it again. */
  planFilling(lines: readonly MapsLine[]): void {
    for (const { start, size, prot, flags } of this.#plan(lines)) {
      this.filling.push(call(S.SYS_MMAP, start, size, prot, flags, -1, 0));
      this.clearing.push(call(S.SYS_MUNMAP, start, size));
    }
    if (this.#options.has.brk) this.clearing.push(call(S.SYS_BRK, this.#place.brk));
  }

  #plan(lines: readonly MapsLine[]): Mapping[] {
    const { scratch, taskEnd } = this.#place;
    const hasHeap = this.#options.has.brk;
    const fence = (start: number): Mapping => ({ start, size: PAGE_SIZE, prot: 0, flags: FENCE });
    const own = [{ start: scratch, size: SCRATCH_AREA_PAGES * PAGE_SIZE, prot: RW, flags: FILL }];
    if (this.#room !== undefined) {
      // Unmapped first, too: what follows may need to split an area.
      own.unshift({ start: CROWD, size: CROWD_PAGES * PAGE_SIZE, prot: 0, flags: FENCE });
    }
    for (const { name, start, end } of this.#windows) {
      if (name !== 'heap') own.push(fence(start - PAGE_SIZE));
      own.push(fence(end));
    }
    const taken = [...this.#windows, ...own.map(({ start, size }) => placed(start, size))];
    if (hasHeap) taken.push(placed(heapStart(this.#place) - PAGE_SIZE, PAGE_SIZE));
    const gaps = gapsBetween(lines, taken, MMAP_MIN_ADDR, taskEnd);
    return [
      ...own,
      ...gaps.map(([start, end]) => ({ start, size: end - start, prot: 0, flags: FILL })),
    ];
  }

  /** Whether everything was free as planned. */
  isFilled(results: readonly StepResult[]): boolean {
    return this.filling.every((step, i) => wanted(step) === results[i]);
  }

  undoFilling(results: readonly StepResult[]): Step[] {
    return this.filling.flatMap((step, i) => {
      const result = results[i] as number;
      if (result === wanted(step)) return this.clearing[i] ?? [];
      if (result === -EEXIST) return [];
      return panic('difftest: cannot fill', hex(wanted(step)), errnoName(-result));
    });
  }

  /** Whether every look at the maps reached beyond the windows. */
  seesWindows(results: readonly StepResult[]): boolean {
    const end = Math.max(...this.#windows.map((window) => window.end));
    return results.every((text, i) => {
      const kind = this.steps[i]?.kind;
      if (typeof text !== 'string' || (kind !== 'maps' && kind !== 'smaps')) return true;
      if (kind === 'smaps') return lastAreaIn(text) >= end;
      const last = text.slice(text.lastIndexOf('\n', text.length - 2) + 1);
      return Number.parseInt(last, 16) >= end;
    });
  }

  read(results: readonly StepResult[], isLast: boolean): Ran {
    const outcomes = this.#body.read(results, this.#options.verbose);
    // A hole may have opened since the filling was planned.
    const isOutside = outcomes.some(({ result }) => result.startsWith(ELSEWHERE));
    const isEmpty = this.#unmaps.every((index) => results[index] === 0);
    return { outcomes, isEmpty, isComparable: isLast || !isOutside };
  }

  #window(name: string, start: number, pages: number): void {
    this.#windows.push({ name, start, end: start + pages * PAGE_SIZE });
  }

  /** Bytes that count against RLIMIT_AS and RLIMIT_DATA when the sequence begins. */
  #measure(status: string, lines: readonly MapsLine[]): RlimitUse {
    const heap = this.#options.has.brk ? PAGE_SIZE : 0;
    const { as, data } = rlimitUseOf(status);
    const planned = this.#plan(lines);
    return {
      as: as + planned.reduce((sum, { size }) => sum + size, heap),
      data: data + SCRATCH_AREA_PAGES * PAGE_SIZE + heap,
    };
  }

  /**
   * Whether as much is in use as when the limits were computed, not counting what the sequence has
   * sealed in its windows. Of that, stacks are no data, and maps does not tell them apart.
   */
  isSteady(subject: Subject): boolean {
    if (!this.#needsRlimitUse) return true;
    const status = subject.status();
    const lines = parseMaps(subject.maps());
    const { as, data } = this.#measure(status, lines);
    const sealed = rlimitUseIn(lines, this.#windows);
    const more = data - this.#rlimitUse.data;
    return as - sealed.as === this.#rlimitUse.as && more >= 0 && more <= sealed.data;
  }

  #open({ capabilities: names }: Sequence): void {
    // Resident from the start: what the kernel writes there must not change what it is.
    for (let i = 0; i < SCRATCH_PAGES; i++) {
      const address = this.#place.scratch + i * PAGE_SIZE;
      this.steps.push({ kind: 'store', address, bytes: [0] });
    }
    this.#setLimits();
    if (this.#options.has.brk) {
      const heap = heapStart(this.#place);
      this.steps.push(call(S.SYS_BRK, heap));
      this.steps.push({ kind: 'store', address: heap - PAGE_SIZE, bytes: [0] });
    }
    const room = this.#room;
    if (room !== undefined) this.steps.push({ kind: 'room', room });
    if (names !== undefined) this.steps.push({ kind: 'capabilities', names });
  }

  /** The same limits on both sides, by way of the scratch page. */
  #setLimits(): void {
    if (!this.#options.has.setrlimit) return;
    const address = this.#place.scratch;
    for (const [resource, soft, hard] of LIMITS) {
      this.steps.push({ kind: 'store', address, bytes: [...wideBytes(soft), ...wideBytes(hard)] });
      this.steps.push(call(S.SYS_SETRLIMIT, resource, address));
    }
    this.steps.push({ kind: 'store', address, bytes: new Array<number>(16).fill(0) });
  }

  #close({ ops, capabilities }: Sequence): void {
    if (capabilities !== undefined)
      this.steps.push({ kind: 'capabilities', names: VARIED_CAPABILITIES });
    this.steps.push(call(S.SYS_MUNLOCKALL));
    this.#setLimits();
    for (const { call: name, args } of ops) {
      if (name !== 'open') continue;
      this.steps.push({ kind: 'named', call: 'unlink', name: fileName(args[0]), flags: 0 });
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      this.steps.push({ kind: 'call', number: S.SYS_CLOSE, args: [{ slot }] });
    }
    for (const { start, end } of this.#windows) {
      this.#unmaps.push(this.steps.length);
      this.steps.push(call(S.SYS_MUNMAP, start, end - start));
    }
  }
}

/** The heap's window begins behind a page of heap that has been written to, on both sides. */
function heapStart({ brk }: Place): number {
  return Math.ceil(brk / PAGE_SIZE) * PAGE_SIZE + PAGE_SIZE;
}

function call(number: number, ...args: number[]): Step {
  return { kind: 'call', number, args };
}

/** Where a step of the filling maps. */
function wanted(step: Step): number {
  return step.kind === 'call' ? (step.args[0] as number) : NaN;
}

function placed(start: number, size: number): Placed {
  return { name: '', start, end: start + size };
}
