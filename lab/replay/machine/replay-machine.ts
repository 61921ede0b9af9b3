/**
 * A simulated machine on which recordings are replayed, driven from inside by one thread: it does
 * directly what the kernel worker and the CPUs' MMUs would do.
 */
import { audit } from '../../../kernel/audit/audit.ts';
import { handleFault } from '../../../kernel/faults/fault.ts';
import { ITS_TURN } from '../../../kernel/faults/give-way.ts';
import { releaseFaultObject } from '../../../kernel/faults/object-fault.ts';
import { beginPageIn, finishPageIn } from '../../../kernel/faults/page-in.ts';
import { NO_OBJECT, SWAP_STORE } from '../../../kernel/faults/swap-in.ts';
import { formatMachine } from '../../../kernel/format.ts';
import { reapLimbo } from '../../../kernel/frames/grace.ts';
import { createProcess } from '../../../kernel/lifecycle/create.ts';
import type { ProcessSpec } from '../../../kernel/lifecycle/create.ts';
import { exitProcess, releaseProcess } from '../../../kernel/lifecycle/exit.ts';
import { PROTOCOLS } from '../../../kernel/locking/protocols.ts';
import type { LockingProtocolName } from '../../../kernel/locking/protocols.ts';
import { attachCpu } from '../../../kernel/machine/cpu.ts';
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { leaveKernel, startCpu } from '../../../kernel/machine/cpu-mode.ts';
import { FAULT_DONE, FAULT_NO_MEMORY, FAULT_WAIT } from '../../../kernel/machine/fault-codes.ts';
import type { Machine } from '../../../kernel/machine/machine.ts';
import { WAIT_PAGE } from '../../../kernel/machine/wait-codes.ts';
import { enterKernel } from '../../../kernel/mmu/kernel-entry.ts';
import { populate } from '../../../kernel/mmu/populate.ts';
import { UserMode } from '../../../kernel/mmu/user-mode.ts';
import { startProcess } from '../../../kernel/processes/process.ts';
import { dispatch } from '../../../kernel/syscalls/dispatch.ts';
import { restOf } from '../../../kernel/syscalls/rest.ts';
import type { Call } from '../../../kernel/syscalls/rest.ts';
import { ENOMEM } from '../../../shared/abi/errno.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE } from '../../../shared/limits.ts';
import { panic } from '../../../shared/panic.ts';
import { addressOf } from '../../../shared/units.ts';
import type { Pid, ProcessBlock, SpaceBlock, Vpn } from '../../../shared/units.ts';

export interface ReplayMachineOptions {
  readonly memoryBytes: number;
  readonly protocol: LockingProtocolName;
  readonly checked: boolean;
}

/** Calls after which the CPU leaves the kernel for a moment, so that unlinked tables are freed. */
const GRACE_CALLS = 16;

export class ReplayMachine {
  readonly machine: Machine;
  readonly cpu: Cpu;
  readonly mode: UserMode;
  #calls = 0;

  constructor({ memoryBytes, protocol, checked }: ReplayMachineOptions) {
    this.machine = formatMachine({
      frames: memoryBytes / PAGE_SIZE,
      cpus: 1,
      checked,
      protocol: PROTOCOLS[protocol],
    });
    this.cpu = attachCpu(this.machine, 0);
    this.mode = new UserMode(this.cpu);
    startCpu(this.cpu);
    enterKernel(this.cpu);
  }

  /** A new process, which runs at once; or a negative errno. */
  create(spec: ProcessSpec): Pid {
    const pid = createProcess(this.cpu, spec);
    if (pid > 0) startProcess(this.cpu, pid);
    return pid;
  }

  /** Ends a process, and its grace period. */
  end(pid: Pid): void {
    const { cpu } = this;
    exitProcess(cpu, pid, 0, 0, 0);
    releaseProcess(cpu, pid);
    this.passGracePeriod();
  }

  /** Grace periods end when CPUs leave the kernel. */
  passGracePeriod(): void {
    leaveKernel(this.cpu);
    enterKernel(this.cpu);
    reapLimbo(this.cpu);
  }

  /** Carries out a syscall to its end: the value, or -errno. */
  syscall(proc: ProcessBlock, number: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
    const { cpu } = this;
    if (++this.#calls % GRACE_CALLS === 0) this.passGracePeriod();
    cpu.populateStartVpn = 0;
    cpu.populateEndVpn = 0;
    let result = dispatch(cpu, proc, number, a, b, c, d, e, f);
    if (result === -WAIT_PAGE) result = this.#goOn(proc, number, [a, b, c, d, e, f]);
    if (cpu.populateEndVpn > 0) this.#populate(proc, cpu.populateStartVpn, cpu.populateEndVpn);
    return result;
  }

  #goOn(proc: ProcessBlock, number: number, args: readonly number[]): number {
    const { cpu } = this;
    let call: Call = { number, args };
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      call = restOf(call, cpu.stoppedAtVpn);
      if (!this.supply()) return -ENOMEM;
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = call.args;
      const result = dispatch(cpu, proc, call.number, a, b, c, d, e, f);
      if (result !== -WAIT_PAGE) return result;
    }
    return panic('replay: a page is wanted again and again', number);
  }

  #populate(proc: ProcessBlock, start: Vpn, end: Vpn): void {
    for (let at = start; at < end;) {
      at = populate(this.cpu, proc, at, end);
      // Without memory Linux leaves the rest out, too.
      if (at < end && !this.supply()) return;
    }
  }

  /** In kernel mode: resolves a fault, with all that it waits for. FAULT_*. */
  fault(space: SpaceBlock, vpn: Vpn, write: boolean): number {
    const { cpu } = this;
    let major = false;
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      const outcome = handleFault(cpu, space, vpn, write, major);
      if (outcome === FAULT_DONE) return outcome;
      if (outcome === FAULT_NO_MEMORY) cpu.faultObject = NO_OBJECT;
      else if (outcome !== FAULT_WAIT) return outcome;
      if (!this.supply()) return FAULT_NO_MEMORY;
      major = outcome === FAULT_WAIT;
    }
    return panic('replay: a page is supplied again and again', addressOf(vpn));
  }

  /**
   * Supplies what the last call waits for. No file here has contents: a page that must be read is
   * zero. False without memory.
   */
  supply(): boolean {
    const { cpu } = this;
    const { faultObject: object, faultPage: page } = cpu;
    if (object === ITS_TURN) return true;
    if (object === NO_OBJECT || object === SWAP_STORE) return false;
    const pfn = beginPageIn(cpu);
    const isSupplied = pfn !== 0 && finishPageIn(cpu, object, page, pfn);
    releaseFaultObject(cpu, object);
    return isSupplied;
  }

  /** What the audit objects to. */
  audit(): readonly string[] {
    return audit(this.cpu).violations;
  }
}
