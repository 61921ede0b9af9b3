/**
 * One machine run by the kernel's JavaScript and one by its compiled build, and sequences of
 * operations that both carry out: what differs afterwards, in results and in every word.
 */
import fc from 'fast-check';

import { audit } from '../../kernel/audit/audit.ts';
import { formatMachine } from '../../kernel/format.ts';
import type { FormatOptions } from '../../kernel/format.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { PROTOCOLS, PROTOCOL_NAMES } from '../../kernel/locking/protocols.ts';
import type { LockingProtocolName } from '../../kernel/locking/protocols.ts';
import { attachCpu } from '../../kernel/machine/cpu.ts';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { startCpu } from '../../kernel/machine/cpu-mode.ts';
import type { Machine } from '../../kernel/machine/machine.ts';
import { translate } from '../../kernel/mmu/access.ts';
import type { AccessHost } from '../../kernel/mmu/access.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import {
  UserMode,
  contextOf,
  enterUserMode,
  leaveKernelMode,
  leaveUserMode,
} from '../../kernel/mmu/user-mode.ts';
import type { UserContext } from '../../kernel/mmu/user-mode.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { startProcess } from '../../kernel/processes/process.ts';
import { sysMadvise } from '../../kernel/syscalls/madvise.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { sysMprotect } from '../../kernel/syscalls/mprotect.ts';
import { sysMunmap } from '../../kernel/syscalls/munmap.ts';
import { peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { PAGE_SIZE, SPAN_PAGES } from '../../shared/limits.ts';
import { useCompiled } from '../../workers/compiled-kernel.ts';
import { kernelModule, machineInMemory, memoryFor } from './compiled-machine.ts';

const BASE = 0x4000_0000;
/** Where operations are: pages at the ends of two spans, and one far away. */
const PLACES = [0, 1, 2, SPAN_PAGES - 2, SPAN_PAGES - 1, SPAN_PAGES, SPAN_PAGES + 1, 2 ** 21];
const FRAMES = 256;
/** Frames that the first process takes before its first operation. */
const FIRST_FRAMES = 4;

export type Operation =
  | { readonly kind: 'map'; readonly page: number; readonly pages: number; readonly prot: number }
  | { readonly kind: 'unmap'; readonly page: number; readonly pages: number }
  | {
      readonly kind: 'protect';
      readonly page: number;
      readonly pages: number;
      readonly prot: number;
    }
  | {
      readonly kind: 'advise';
      readonly page: number;
      readonly pages: number;
      readonly advice: number;
    }
  | { readonly kind: 'touch'; readonly page: number; readonly write: boolean }
  | { readonly kind: 'fork' }
  | { readonly kind: 'switch' };

export interface Sequence {
  readonly protocol: LockingProtocolName;
  readonly checked: boolean;
  /** The n-th frame allocation fails, after those of the first process; 0 for none. */
  readonly failing: number;
  /** Pages that the process may have; 0 for no limit. */
  readonly limit: number;
  readonly operations: readonly Operation[];
}

const page = fc.constantFrom(...PLACES);
const pages = fc.constantFrom(1, 2, 3, SPAN_PAGES, 2 * SPAN_PAGES);
const prot = fc.constantFrom(0, 1, 3);

/** Sequences of operations, most of them accesses. */
export const sequences: fc.Arbitrary<Sequence> = fc.record({
  protocol: fc.constantFrom(...PROTOCOL_NAMES),
  checked: fc.boolean(),
  failing: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    fc.integer({ min: FIRST_FRAMES + 1, max: 24 }),
  ),
  limit: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 4 })),
  operations: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('map'), page, pages, prot }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('unmap'), page, pages }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('protect'), page, pages, prot }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('advise'),
          ...{ page, pages, advice: fc.constantFrom(4, 14, 22, 23, 102, 103) },
        }),
      },
      {
        weight: 8,
        arbitrary: fc.record({ kind: fc.constant('touch'), page, write: fc.boolean() }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('fork', 'switch') }) },
    ) as fc.Arbitrary<Operation>,
    { maxLength: 24 },
  ),
});

/** A machine with one CPU, in user mode of one of its processes. */
class Subject implements AccessHost {
  readonly resolvesFaults = true;
  readonly machine: Machine;
  readonly cpu: Cpu;
  readonly #mode: UserMode;
  readonly #processes: UserContext[] = [];
  #current: UserContext;

  constructor(machine: Machine, isCompiled: boolean, limit: number) {
    this.machine = machine;
    this.cpu = attachCpu(machine, 0);
    if (isCompiled) useCompiled(this.cpu, kernelModule);
    startCpu(this.cpu);
    enterKernel(this.cpu);
    this.#mode = new UserMode(this.cpu);
    const group = limit === 0 ? {} : { memoryMaxPages: limit };
    const pid = createProcess(this.cpu, { name: 'test', cpu: 0, parent: 0, ...group });
    if (pid <= 0) throw new Error(`the first process: ${pid}`);
    this.#current = this.#begin(pid);
    leaveKernelMode(this.#mode);
    enterUserMode(this.#mode, this.#current);
  }

  #begin(pid: number): UserContext {
    startProcess(this.cpu, pid);
    const context = contextOf(this.cpu, processOf(this.machine, pid));
    this.#processes.push(context);
    return context;
  }

  becameLive(): void {}

  takeSignals(): boolean {
    return true;
  }

  /** As where nobody supplies pages or frames: refused. */
  resolveElsewhere(): number {
    return -1;
  }

  refuse(): boolean {
    return false;
  }

  perform(operation: Operation): number {
    if (operation.kind === 'touch') {
      const address = BASE + operation.page * PAGE_SIZE;
      return translate(this.#mode, this.#current, this, address, operation.write);
    }
    if (operation.kind === 'switch') {
      const at = this.#processes.indexOf(this.#current);
      this.#current = this.#processes[(at + 1) % this.#processes.length] as UserContext;
      return 0;
    }
    enterKernel(this.cpu);
    const result = this.#call(operation);
    leaveKernelMode(this.#mode);
    return result;
  }

  #call(operation: Exclude<Operation, { kind: 'touch' | 'switch' }>): number {
    const { cpu } = this;
    const { proc } = this.#current;
    if (operation.kind === 'fork') {
      const parent = peek(cpu.words, proc + PROCESS.PID);
      const pid = createProcess(cpu, { name: 'child', cpu: 0, parent, fork: true });
      if (pid > 0) this.#begin(pid);
      return pid;
    }
    const address = BASE + operation.page * PAGE_SIZE;
    const length = operation.pages * PAGE_SIZE;
    switch (operation.kind) {
      case 'map':
        // Private, anonymous, at a fixed place.
        return sysMmap(cpu, proc, address, length, operation.prot, 0x32, -1, 0);
      case 'unmap':
        return sysMunmap(cpu, proc, address, length);
      case 'protect':
        return sysMprotect(cpu, proc, address, length, operation.prot);
      case 'advise':
        return sysMadvise(cpu, proc, address, length, operation.advice);
    }
  }

  /** The violations that an audit finds, in kernel mode for ever. */
  audit(): readonly string[] {
    leaveUserMode(this.#mode);
    enterKernel(this.cpu);
    return audit(this.cpu).violations;
  }
}

let memory: WebAssembly.Memory | null = null;

function describeWord(js: Machine, compiled: Machine): string {
  for (let at = 0; at < js.totalWords; at++) {
    if (js.words[at] !== compiled.words[at]) {
      return `word ${at}: ${js.words[at]} in JavaScript, ${compiled.words[at]} compiled`;
    }
  }
  return '';
}

/** What differs after a sequence, and what an audit says; '' for nothing. */
export function compareBuilds({ protocol, checked, failing, limit, operations }: Sequence): string {
  const injections = failing === 0 ? [] : [{ kind: 'frame' as const, nth: failing, share: 0 }];
  const options: FormatOptions = {
    ...{ frames: FRAMES, cpus: 1, checked, injections, protocol: PROTOCOLS[protocol] },
  };
  memory ??= memoryFor(options);
  const js = new Subject(formatMachine(options), false, limit);
  const compiled = new Subject(machineInMemory(options, memory), true, limit);
  if (compiled.cpu.compiled === null) return 'there is no compiled kernel';
  for (const [number, operation] of operations.entries()) {
    const [a, b] = [js.perform(operation), compiled.perform(operation)];
    if (a !== b) return `operation ${number}: ${a} in JavaScript, ${b} compiled`;
  }
  const word = describeWord(js.machine, compiled.machine);
  if (word !== '') return word;
  if (
    !js.cpu.tlb.readBase.every((base, slot) => Object.is(base, compiled.cpu.tlb.readBase[slot]))
  ) {
    return 'TLBs differ';
  }
  return compiled.audit().join('; ');
}
