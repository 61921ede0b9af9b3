/**
 * Accesses of the simulated process, on the one thread that plays its CPU and the kernel worker:
 * the kernel's own access path (kernel/mmu/access.ts), with pages supplied at once.
 */
import { ITS_TURN } from '../../kernel/faults/give-way.ts';
import { releaseFaultObject } from '../../kernel/faults/object-fault.ts';
import { beginPageIn, finishPageIn } from '../../kernel/faults/page-in.ts';
import type { Cpu } from '../../kernel/machine/cpu.ts';
import * as F from '../../kernel/machine/fault-codes.ts';
import { resolveFault } from '../../kernel/mmu/miss.ts';
import { translate } from '../../kernel/mmu/access.ts';
import type { AccessHost } from '../../kernel/mmu/access.ts';
import { enterKernel } from '../../kernel/mmu/kernel-entry.ts';
import { contextOf, dropContext, leaveKernelMode } from '../../kernel/mmu/user-mode.ts';
import type { UserContext, UserMode } from '../../kernel/mmu/user-mode.ts';
import {
  BUS_ADRERR,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGKILL,
  SIGSEGV,
} from '../../shared/abi/signals.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';

export class MachineMmu implements AccessHost {
  readonly resolvesFaults = true;
  readonly #mode: UserMode;
  readonly #context: UserContext;

  /** `proc` is the process's block. */
  constructor(mode: UserMode, proc: number) {
    this.#mode = mode;
    this.#context = contextOf(mode.cpu, proc);
  }

  /**
   * In kernel mode, as is everything here but the access itself: where in the frames' bytes an
   * access ends, or -(signal * 256 + code).
   */
  access(address: number, write: boolean): number {
    const { cpu } = this.#mode;
    leaveKernelMode(this.#mode);
    const outcome = translate(this.#mode, this.#context, this, address, write);
    enterKernel(cpu);
    if (outcome !== F.FAULT_DONE) return refusal(outcome);
    const { tlb, machine } = cpu;
    const slot = Math.floor(address / PAGE_SIZE) & (tlb.frameAt.length - 1);
    return ((tlb.frameAt[slot] as number) - machine.frameBase) * 4 + (address % PAGE_SIZE);
  }

  /** The process is about to end. */
  close(): void {
    dropContext(this.#mode, this.#context);
  }

  becameLive(): void {}

  takeSignals(): boolean {
    return true;
  }

  resolveElsewhere(address: number, write: boolean): number {
    const { cpu } = this.#mode;
    const vpn = Math.floor(address / PAGE_SIZE);
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      const outcome = resolveFault(cpu, this.#context.space, vpn, write);
      if (outcome !== F.FAULT_WAIT) return outcome;
      supplyPage(cpu);
    }
    return panic('difftest: a page is supplied again and again', address);
  }

  refuse(): boolean {
    return false;
  }
}

function refusal(outcome: number): number {
  switch (outcome) {
    case F.FAULT_MAPERR:
      return -(SIGSEGV * 256 + SEGV_MAPERR);
    case F.FAULT_ACCERR:
      return -(SIGSEGV * 256 + SEGV_ACCERR);
    case F.FAULT_BUS:
      return -(SIGBUS * 256 + BUS_ADRERR);
    default:
      return -(SIGKILL * 256);
  }
}

/** No file here has contents of its own: a page that must be read is zero. */
export function supplyPage(cpu: Cpu): void {
  const { faultObject: object, faultPage: page } = cpu;
  if (object === ITS_TURN) return;
  releaseFaultObject(cpu, object);
  const pfn = beginPageIn(cpu);
  if (pfn === 0 || !finishPageIn(cpu, object, page, pfn)) panic('difftest: no memory', page);
}
