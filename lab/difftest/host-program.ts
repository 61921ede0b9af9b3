/** Steps as a list of instructions in memory (machine-code.ts), and their results. */
import { capabilityMask } from '../../shared/abi/capabilities.ts';
import type { CapabilityName } from '../../shared/abi/capabilities.ts';
import { SIGKILL } from '../../shared/abi/signals.ts';
import { PAGE_SIZE, TABLE_ENTRIES } from '../../shared/limits.ts';
import { PROT_NONE, PROT_READ } from '../../shared/abi/mman.ts';
import { panic } from '../../shared/panic.ts';
import * as S from '../../shared/abi/syscalls.ts';
import { InstructionList } from './instruction-list.ts';
import type { HostMemory } from './instruction-list.ts';
import { CALL, COPY, COPY_IF, END, FORK } from './machine-code.ts';
import { CROWD, CROWD_PAGES, SLOTS, VARIED_CAPABILITIES } from './sequence.ts';
import type { SlotRef, Step, StepArg, StepResult } from './steps.ts';
import { hashWords } from './subject.ts';

/** Instructions of the longest sequence, looks and fillings included. */
export const INSTRUCTIONS = 24_576;
/** What the steps bring back: pages and texts. */
export const OUTPUT_BYTES: number = 48 * 2 ** 20;
/** What a read of /proc/self/maps gives at most. */
const MAPS_PIECE = 4096;
const SYS_OPEN = 2;
const SYS_UNLINK = 87;
const SYS_MEMFD_CREATE = 319;
const SYS_CAPSET = 126;
const SYS_PRCTL = 157;
const SYS_EXIT_GROUP = 231;
const SYS_WAIT4 = 61;
const PR_SET_PDEATHSIG = 1;
const CAPABILITY_VERSION = 0x2008_0522;
/** Slots of a child, which opens its own reports. */
export const MAPS_SLOT: SlotRef = { slot: SLOTS };
export const SMAPS_SLOT: SlotRef = { slot: SLOTS + 1 };
export const PAGEMAP_SLOT: SlotRef = { slot: SLOTS + 2 };
const PAGEMAP_ENTRY = 8;
/** What a read of /proc/self/smaps gives at most. */
const SMAPS_PIECE = 4096;
const FILE_MODE = 0o600;
const NOT_READ = 2 ** 31;

export interface HostProgramOptions {
  /** Descriptors of /proc/self/maps, smaps and pagemap. */
  readonly maps: StepArg;
  readonly smaps: StepArg;
  readonly pagemap: StepArg;
  /** Reads of maps that reach beyond the windows, and as many times four of smaps. */
  mapsPieces: number;
  /** Of the sequence's files. */
  readonly directory: string;
  /** The mask of all capabilities that the process may have. */
  readonly capabilities: bigint;
  /** What a process reads when it is its turn, and what it writes when its turn is over. */
  readonly pipes: HostPipes;
}

/** Descriptors: this process reads `turn`, and writes `done`. */
export interface HostPipes {
  readonly turn: number;
  readonly done: number;
}

/** The protection of a page of the crowd: neighbours differ. */
function protAt(page: number): number {
  return page % 2 === 0 ? PROT_NONE : PROT_READ;
}

export class HostProgram {
  readonly #options: HostProgramOptions;
  readonly #child: HostProgram | null;
  readonly #list: InstructionList;
  /** For each slot the address of the result that fills it. */
  #slots: (number | null)[] = [];
  /** Whether the child carries out the steps. */
  #isChild = false;

  /** `child` compiles what a forked child does; its memory is shared with it. */
  constructor(options: HostProgramOptions, memory: HostMemory, child: HostProgram | null) {
    this.#options = options;
    this.#child = child;
    this.#list = new InstructionList(memory);
  }

  /** Writes the list for the steps. The address of its first instruction, and how to read it. */
  compile(steps: readonly Step[]): { at: number; read: () => StepResult[] } {
    this.#begin(new Array<null>(SLOTS).fill(null));
    const reads = steps.map((step) => {
      if (step.kind === 'switch') return this.#switch();
      return this.#isChild ? this.#forked().#compile(step) : this.#compile(step);
    });
    this.#list.emit(END, []);
    return { at: this.#list.listAt, read: () => reads.map((read) => read()) };
  }

  #begin(slots: (number | null)[]): void {
    this.#list.clear();
    this.#slots = slots;
    this.#isChild = false;
  }

  #compile(step: Step): () => StepResult {
    switch (step.kind) {
      case 'call': {
        const at = this.#call(step.number, step.args);
        if (step.slot !== undefined) this.#slots[step.slot] = this.#list.wordAt(at, 1);
        return () => this.#list.result(at);
      }
      case 'named': {
        const at = this.#named(step);
        if (step.slot !== undefined) this.#slots[step.slot] = this.#list.wordAt(at, 1);
        return () => this.#list.result(at);
      }
      case 'forget':
        this.#slots[step.slot] = null;
        return () => 0;
      case 'load': {
        const byte = this.#list.take(1);
        const at = this.#list.emit(COPY, [this.#list.outputAt + byte, step.address, 1]);
        return () => -this.#list.result(at) || (this.#list.text[byte] ?? 0);
      }
      case 'store': {
        const from = this.#list.take(step.bytes.length);
        this.#list.text.set(step.bytes, from);
        const to = step.address;
        const at = this.#list.emit(COPY, [to, this.#list.outputAt + from, step.bytes.length]);
        return () => -this.#list.result(at);
      }
      case 'crowd':
        return this.#crowd();
      case 'room':
        return this.#room(step.room);
      case 'maps':
        return this.#report(this.#options.maps, MAPS_PIECE, this.#options.mapsPieces);
      case 'smaps':
        return this.#report(this.#options.smaps, SMAPS_PIECE, 8 * this.#options.mapsPieces);
      case 'pagemap':
        return this.#pagemap(step.address / PAGE_SIZE, step.pages);
      case 'fork':
        return this.#fork();
      case 'switch':
        return panic('difftest: a switch is for both');
      case 'join':
        this.#forked().#call(SYS_EXIT_GROUP, [0]);
        this.#call(SYS_WAIT4, [-1, 0, 0, 0]);
        return () => 0;
      case 'capabilities':
        return this.#capabilities(step.names);
      case 'resident': {
        const byte = this.#list.take(1);
        this.#list.text[byte] = 0;
        const vec = this.#list.outputAt + byte;
        const at = this.#call(S.SYS_MINCORE, [step.address, PAGE_SIZE, vec]);
        this.#flagAt = vec;
        return () => (this.#list.result(at) < 0 ? -1 : (this.#list.text[byte] ?? 0) & 1);
      }
      case 'content':
        return this.#content(step.address, step.always);
    }
  }

  /** Of the step before: where the bit of a page went. */
  #flagAt = 0;

  #content(address: number, always: boolean): () => StepResult {
    const to = this.#list.take(PAGE_SIZE, PAGE_SIZE);
    const kind = always ? COPY : COPY_IF;
    const at = this.#list.emit(kind, [this.#list.outputAt + to, address, PAGE_SIZE, this.#flagAt]);
    this.#list.setResult(at, NOT_READ);
    return () => {
      const fault = this.#list.result(at);
      if (fault === NOT_READ) return NaN;
      return fault === 0 ? hashWords(this.#list.output, to / 4, TABLE_ENTRIES) : -fault;
    };
  }

  /** A text of /proc, from its beginning. */
  #report(fd: StepArg, bytes: number, count: number): () => StepResult {
    this.#call(S.SYS_LSEEK, [fd, 0, 0]);
    const pieces = Array.from({ length: count }, () => {
      const to = this.#list.take(bytes);
      return { to, at: this.#call(S.SYS_READ, [fd, this.#list.outputAt + to, bytes]) };
    });
    return () =>
      pieces
        .map(({ to, at }) => this.#list.text.toString('latin1', to, to + this.#list.result(at)))
        .join('');
  }

  #pagemap(vpn: number, pages: number): () => StepResult {
    const bytes = pages * PAGEMAP_ENTRY;
    const to = this.#list.take(bytes);
    const args = [this.#options.pagemap, this.#list.outputAt + to, bytes, vpn * PAGEMAP_ENTRY];
    this.#call(S.SYS_PREAD, args);
    return () => {
      let digits = '';
      for (let i = 1; i <= pages; i++) {
        digits += this.#list.text.toString(
          'hex',
          to + i * PAGEMAP_ENTRY - 1,
          to + i * PAGEMAP_ENTRY,
        );
      }
      return digits;
    };
  }

  #forked(): HostProgram {
    return this.#child ?? panic('difftest: a child has no child');
  }

  /** The child begins with what it needs of its own, and waits for its turn at the first switch. */
  #fork(): () => StepResult {
    const child = this.#forked();
    child.#begin(this.#slots.slice());
    child.#call(SYS_PRCTL, [PR_SET_PDEATHSIG, SIGKILL]);
    for (const [{ slot }, name] of [
      [MAPS_SLOT, 'maps'],
      [SMAPS_SLOT, 'smaps'],
      [PAGEMAP_SLOT, 'pagemap'],
    ] as const) {
      const at = child.#call(SYS_OPEN, [child.#list.path(`/proc/self/${name}`), 0, 0]);
      child.#slots[slot] = child.#list.wordAt(at, 1);
    }
    const at = this.#list.emit(FORK, [child.#list.listAt]);
    return () => Math.min(0, this.#list.result(at));
  }

  /** The other process carries out what follows. */
  #switch(): () => StepResult {
    const child = this.#forked();
    if (this.#isChild) {
      child.#call(S.SYS_WRITE, [child.#options.pipes.done, child.#list.outputAt, 1]);
    } else {
      this.#call(S.SYS_WRITE, [this.#options.pipes.done, this.#list.outputAt, 1]);
      this.#call(S.SYS_READ, [
        this.#options.pipes.turn,
        this.#list.outputAt + this.#list.take(1),
        1,
      ]);
      const to = child.#list.outputAt + child.#list.take(1);
      child.#call(S.SYS_READ, [child.#options.pipes.turn, to, 1]);
    }
    this.#isChild = !this.#isChild;
    return () => 0;
  }

  /** Takes away those of root's capabilities that are not named, of the two that sequences vary. */
  #capabilities(names: readonly CapabilityName[]): () => StepResult {
    const varied = BigInt(capabilityMask(VARIED_CAPABILITIES));
    const all = this.#options.capabilities;
    const effective = (all & ~varied) | (all & BigInt(capabilityMask(names)));
    const at = this.#list.take(32, 8) / 4;
    this.#list.output.set([CAPABILITY_VERSION, 0], at);
    for (let half = 0; half < 2; half++) {
      const shift = BigInt(32 * half);
      const word = (mask: bigint): number => Number(BigInt.asIntN(32, mask >> shift));
      this.#list.output.set([word(effective), word(all), 0], at + 2 + 3 * half);
    }
    const header = this.#list.outputAt + 4 * at;
    const call = this.#call(SYS_CAPSET, [header, header + 8]);
    return () => this.#list.result(call);
  }

  /** Each call splits the last area, until the limit on areas is reached. */
  #crowd(): () => StepResult {
    for (let page = 1; page < CROWD_PAGES; page++) {
      const size = (CROWD_PAGES - page) * PAGE_SIZE;
      this.#call(S.SYS_MPROTECT, [CROWD + page * PAGE_SIZE, size, protAt(page)]);
    }
    return () => 0;
  }

  /** The first areas of the crowd become one. */
  #room(room: number): () => StepResult {
    const at = this.#call(S.SYS_MPROTECT, [CROWD, (room + 1) * PAGE_SIZE, protAt(room)]);
    return () => this.#list.result(at);
  }

  #named({ call, name, flags }: Extract<Step, { kind: 'named' }>): number {
    const isFile = call !== 'memfd_create';
    const at = this.#list.path(`${isFile ? `${this.#options.directory}/` : ''}${name}`);
    if (call === 'open') return this.#call(SYS_OPEN, [at, flags, FILE_MODE]);
    return this.#call(call === 'unlink' ? SYS_UNLINK : SYS_MEMFD_CREATE, [at, flags]);
  }

  /** A system call; descriptors that are not known yet are copied into it first. */
  #call(number: number, args: readonly StepArg[]): number {
    const late = args.flatMap((arg, i) => {
      const from = typeof arg === 'number' ? null : this.#slots[arg.slot];
      return from === null || from === undefined ? [] : [{ i, from }];
    });
    const at = this.#list.count + late.length;
    for (const { i, from } of late) {
      this.#list.emit(COPY, [this.#list.wordAt(at, 3 + i), from, 8]);
    }
    return this.#list.emit(CALL, [
      number,
      ...args.map((arg) => (typeof arg === 'number' ? arg : -1)),
    ]);
  }
}
