/**
 * A process of a simulated machine, driven from inside by one thread: no Workers, no messages. It
 * does directly what the kernel worker and a CPU Worker's MMU would do.
 */
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { leaveKernel } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { populate } from '../../kernel/mmu/populate.ts';
import { frameWord } from '../../kernel/machine/machine.ts';
import { reapLimbo } from '../../kernel/frames/grace.ts';
import type { UserMode } from '../../kernel/mmu/user-mode.ts';
import { startProcess } from '../../kernel/processes/process.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { areasOf } from '../../kernel/space/space.ts';
import { formatMaps } from '../../kernel/reports/maps.ts';
import { readPagemap } from '../../kernel/reports/pagemap.ts';
import { formatSmaps } from '../../kernel/reports/smaps.ts';
import { formatStatus } from '../../kernel/reports/status.ts';
import { dispatch } from '../../kernel/syscalls/dispatch.ts';
import { restOf } from '../../kernel/syscalls/rest.ts';
import type { Call } from '../../kernel/syscalls/rest.ts';
import { WAIT_PAGE } from '../../kernel/machine/wait-codes.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import {
  AREAS_MAX,
  FAULT_RETRIES_MAX,
  PAGE_SIZE,
  TABLE_ENTRIES,
  USER_SPACE_END,
} from '../../shared/limits.ts';
import { capabilityMask } from '../../shared/abi/capabilities.ts';
import { panic } from '../../shared/panic.ts';
import { peek, poke } from '../../shared/atomics.ts';
import { SYS_BRK, SYS_MINCORE } from '../../shared/abi/syscalls.ts';
import { MachineFiles } from './machine-files.ts';
import { MachineMmu, supplyPage } from './machine-mmu.ts';
import { HIGH, LOW, SCRATCH, SCRATCH_PAGES, SLOTS } from './sequence.ts';
import type { Step, StepResult } from './steps.ts';
import { hashWords } from './subject.ts';
import type { Place, Prepared, Subject } from './subject.ts';

/** Ends a process, and its grace period. */
export function endProcess(cpu: Cpu, pid: number): void {
  exitProcess(cpu, pid, 0, 0, 0);
  releaseProcess(cpu, pid);
  // Grace periods end when CPUs leave the kernel.
  leaveKernel(cpu);
  enterKernel(cpu);
  reapLimbo(cpu);
}

export class MachineSubject implements Subject {
  readonly pid: number;
  readonly #mode: UserMode;
  readonly #cpu: Cpu;
  readonly #proc: number;
  readonly #space: number;
  readonly #mmu: MachineMmu;
  readonly #files: MachineFiles;
  readonly #slots: number[];
  /** What `fork` made, until `join`. */
  #child: MachineSubject | null = null;

  /** `capabilities`: a mask. A child has its parent's, and files and descriptors. */
  constructor(mode: UserMode, pid: number, capabilities: number, parent?: MachineSubject) {
    const { cpu } = mode;
    this.#mode = mode;
    this.#cpu = cpu;
    this.pid = pid;
    this.#proc = processOf(cpu.machine, pid);
    this.#space = peek(cpu.words, this.#proc + PROCESS.SPACE);
    poke(cpu.words, this.#space + SPACE.CAPABILITIES, capabilities);
    const [files, slots] = parent === undefined ? [] : [parent.#files, parent.#slots];
    this.#files = new MachineFiles(cpu, this.#proc, files);
    this.#slots = slots?.slice() ?? new Array<number>(SLOTS).fill(-1);
    this.#mmu = new MachineMmu(mode, this.#proc);
  }

  /** Before the process ends. */
  close(): void {
    this.#join();
    this.#mmu.close();
    poke(this.#cpu.words, BOOT.MAP_COUNT_MAX, AREAS_MAX);
    this.#files.unlinkAll();
  }

  place(): Place {
    const brk = this.syscall(SYS_BRK, 0);
    const [low, high] = [LOW.start, HIGH.start];
    return { taskEnd: USER_SPACE_END, low, high, scratch: SCRATCH, brk };
  }

  maps(): string {
    return formatMaps(this.#cpu, this.pid, this.#files.names) ?? '';
  }

  status(): string {
    return formatStatus(this.#cpu, this.pid, this.pid) ?? '';
  }

  nextPlace(): boolean {
    return false;
  }

  seeMore(): void {
    panic('difftest: maps are never cut short here');
  }

  prepareCrowd(): Prepared {
    return this.prepare([{ kind: 'crowd' }]);
  }

  prepare(steps: readonly Step[]): Prepared {
    let results: StepResult[] = [];
    return {
      run: () => {
        results = this.#run(steps);
      },
      read: () => results,
    };
  }

  #run(steps: readonly Step[]): StepResult[] {
    let last = NaN;
    let child: MachineSubject | null = null;
    return steps.map((step) => {
      if (step.kind === 'content' && !step.always && last !== 1) return NaN;
      if (step.kind === 'switch') child = child === null ? this.#child : null;
      const result = (child ?? this).#step(step);
      if (typeof result === 'number') last = result;
      return result;
    });
  }

  /** The value, or -errno. */
  syscall(number: number, ...args: readonly number[]): number {
    const cpu = this.#cpu;
    let call: Call = { number, args };
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = call.args;
      cpu.populateStartVpn = 0;
      cpu.populateEndVpn = 0;
      const result = dispatch(cpu, this.#proc, call.number, a, b, c, d, e, f);
      if (result !== -WAIT_PAGE) {
        this.#populate(cpu.populateStartVpn, cpu.populateEndVpn);
        return result;
      }
      call = restOf(call, cpu.stoppedAtVpn);
      supplyPage(cpu);
    }
    return panic('difftest: a page is wanted again and again', number);
  }

  #step(step: Step): StepResult {
    switch (step.kind) {
      case 'call': {
        const { number, slot } = step;
        const args = step.args.map((arg) =>
          typeof arg === 'number' ? arg : (this.#slots[arg.slot] ?? -1),
        );
        return this.#keep(slot, this.syscall(number, ...args));
      }
      case 'named':
        return this.#keep(step.slot, this.#named(step));
      case 'forget':
        this.#slots[step.slot] = -1;
        return 0;
      case 'load': {
        const at = this.#mmu.access(step.address, false);
        return at < 0 ? at : (this.#cpu.machine.frameBytes[at] ?? 0);
      }
      case 'store': {
        const at = this.#mmu.access(step.address, true);
        if (at >= 0) this.#cpu.machine.frameBytes.set(step.bytes, at);
        return Math.min(at, 0);
      }
      case 'crowd':
        return 0;
      case 'room': {
        // Here the limit is any number.
        const { words } = this.#cpu;
        poke(words, BOOT.MAP_COUNT_MAX, areasOf(this.#cpu, this.#space).len() + step.room);
        return 0;
      }
      case 'maps':
        return this.maps();
      case 'smaps':
        return formatSmaps(this.#cpu, this.pid, this.#files.names) ?? '';
      case 'pagemap':
        return this.#pagemap(step.address / PAGE_SIZE, step.pages);
      case 'fork':
        return this.#fork();
      case 'switch':
        return 0;
      case 'join':
        return this.#join();
      case 'capabilities': {
        const mask = capabilityMask(step.names);
        poke(this.#cpu.words, this.#space + SPACE.CAPABILITIES, mask);
        return 0;
      }
      case 'resident':
        return this.#resident(step.address);
      case 'content': {
        const { machine, words } = this.#cpu;
        const at = this.#mmu.access(step.address, false);
        if (at < 0) return at;
        return hashWords(words, frameWord(machine, at / PAGE_SIZE), TABLE_ENTRIES);
      }
    }
  }

  /** 0, or -errno. */
  #fork(): number {
    const cpu = this.#cpu;
    const spec = { name: 'child', cpu: 0, parent: this.pid, fork: true };
    const pid = createProcess(cpu, spec);
    if (pid < 0) return pid;
    startProcess(cpu, pid);
    const capabilities = peek(cpu.words, this.#space + SPACE.CAPABILITIES);
    this.#child = new MachineSubject(this.#mode, pid, capabilities, this);
    return 0;
  }

  #join(): number {
    const child = this.#child;
    if (child === null) return 0;
    this.#child = null;
    child.#mmu.close();
    endProcess(this.#cpu, child.pid);
    return 0;
  }

  #pagemap(vpn: number, pages: number): string {
    const entries = readPagemap(this.#cpu, this.pid, vpn, pages) ?? new Uint32Array(2 * pages);
    let digits = '';
    for (let i = 0; i < pages; i++) {
      digits += ((entries[2 * i + 1] as number) >>> 24).toString(16).padStart(2, '0');
    }
    return digits;
  }

  #named({ call, name, flags }: Extract<Step, { kind: 'named' }>): number {
    if (call === 'memfd_create') return this.#files.memfdCreate(name, flags);
    return call === 'open' ? this.#files.open(name, flags) : this.#files.unlink(name);
  }

  #keep(slot: number | undefined, descriptor: number): number {
    if (slot !== undefined) this.#slots[slot] = descriptor;
    return descriptor;
  }

  /** By way of the last scratch page, which nothing else uses. */
  #resident(address: number): number {
    const vec = SCRATCH + (SCRATCH_PAGES - 1) * PAGE_SIZE;
    if (this.syscall(SYS_MINCORE, address, PAGE_SIZE, vec) < 0) return -1;
    return (this.#cpu.machine.frameBytes[this.#mmu.access(vec, false)] ?? 0) & 1;
  }

  #populate(start: number, end: number): void {
    for (let at = start; at < end;) {
      at = populate(this.#cpu, this.#proc, at, end);
      if (at < end) supplyPage(this.#cpu);
    }
  }
}
