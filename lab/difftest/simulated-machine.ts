/** A simulated machine, driven from inside by one thread: a process for each sequence. */
import { audit } from '../../kernel/audit/audit.ts';
import { attachCpu } from '../../kernel/machine/cpu.ts';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { startCpu } from '../../kernel/machine/cpu-mode.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { formatMachine } from '../../kernel/format.ts';
import { PROTOCOLS } from '../../kernel/locking/protocols.ts';
import type { Machine } from '../../kernel/machine/machine.ts';
import { UserMode } from '../../kernel/mmu/user-mode.ts';
import { startProcess } from '../../kernel/processes/process.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { ALL_CAPABILITIES } from '../../shared/abi/capabilities.ts';
import { panic } from '../../shared/panic.ts';
import { ENOSYS } from '../../shared/abi/errno.ts';
import { MachineSubject, endProcess } from './machine-subject.ts';

/** 16 MiB: more than all windows together can need. */
const FRAMES = 4096;

export class SimulatedMachine {
  readonly #machine: Machine;
  readonly #cpu: Cpu;
  readonly #mode: UserMode;

  constructor() {
    const protocol = PROTOCOLS.rcu;
    this.#machine = formatMachine({ frames: FRAMES, cpus: 1, checked: true, protocol });
    this.#cpu = attachCpu(this.#machine, 0);
    this.#mode = new UserMode(this.#cpu);
    startCpu(this.#cpu);
    enterKernel(this.#cpu);
  }

  /** Whether the kernel has the syscall: every one refuses such arguments in its own way. */
  has(number: number): boolean {
    const subject = this.start(true);
    const result = subject.syscall(number, NaN, NaN, NaN, NaN, NaN, NaN);
    this.end(subject);
    return result !== -ENOSYS;
  }

  /** A new process with an empty address space. */
  start(privileged: boolean): MachineSubject {
    const cpu = this.#cpu;
    const pid = createProcess(cpu, { name: 'difftest', cpu: 0, parent: 0 });
    if (pid < 0) panic('difftest: no process', pid);
    startProcess(cpu, pid);
    return new MachineSubject(this.#mode, pid, privileged ? ALL_CAPABILITIES : 0);
  }

  /** Ends the process of a sequence. */
  end(subject: MachineSubject): void {
    subject.close();
    endProcess(this.#cpu, subject.pid);
  }

  /** What the audit objects to. */
  audit(): readonly string[] {
    return audit(this.#cpu).violations;
  }
}
