/**
 * A kernel-level thread of a benchmark: a CPU in user mode of a space that others share, with the
 * system calls and the stores that a program would make. The same path as a program's: mode
 * changes, TLB, page walk, fault.
 *
 * Guarantees: polls for shootdowns before each access; any refusal by the kernel throws, because a
 * benchmark that fails half-way has nothing to report.
 */
import {
  FAULT_DONE,
  TLB_SLOTS,
  UserContext,
  UserMode,
  contextOf,
  dispatch,
  enterKernel,
  enterUserMode,
  leaveKernelMode,
  leaveUserMode,
  poll,
  sysMmap,
  sysMunmap,
  translate,
} from '../../../kernel/index.ts';
import type { AccessHost, Cpu } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import * as M from '../../../shared/abi/mman.ts';
import { SYS_BRK, SYS_MADVISE } from '../../../shared/abi/syscalls.ts';
import type { Waiter } from './control-words.ts';

const RW: number = M.PROT_READ | M.PROT_WRITE;
export const ANONYMOUS: number = M.MAP_PRIVATE | M.MAP_ANONYMOUS;

export class BenchThread implements Waiter, AccessHost {
  readonly cpu: Cpu;
  readonly resolvesFaults = true;
  readonly #mode: UserMode;
  #context = new UserContext(0, 0);

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.#mode = new UserMode(cpu);
  }

  /** Chooses the process whose address space the next `enter` runs. */
  adopt(proc: number): void {
    this.#context = contextOf(this.cpu, proc);
  }

  enter(): void {
    enterUserMode(this.#mode, this.#context);
  }

  leave(): void {
    leaveUserMode(this.#mode);
  }

  poll(): void {
    const { gate } = this.#context;
    if (peek(this.cpu.words, gate.generationAt) !== gate.generation) {
      poll(this.#mode, this.#context);
    }
  }

  becameLive(): void {}

  takeSignals(): boolean {
    return true;
  }

  resolveElsewhere(address: number): number {
    throw new Error(`access at ${address}: no frame, or a page of a file`);
  }

  refuse(): boolean {
    return false;
  }

  /** The address. `address` 0 leaves the choice to the kernel. */
  mmap(address: number, length: number, flags: number, fd: number = -1): number {
    const { cpu } = this;
    enterKernel(cpu);
    const result = sysMmap(cpu, this.#context.proc, address, length, RW, flags, fd, 0);
    leaveKernelMode(this.#mode);
    return checked('mmap', result, address);
  }

  munmap(address: number, length: number): void {
    const { cpu } = this;
    enterKernel(cpu);
    const result = sysMunmap(cpu, this.#context.proc, address, length);
    leaveKernelMode(this.#mode);
    checked('munmap', result, address);
  }

  madvise(address: number, length: number, advice: number): void {
    checked('madvise', this.#call(SYS_MADVISE, address, length, advice), address);
  }

  /** The break as it is then. */
  brk(address: number): number {
    return checked('brk', this.#call(SYS_BRK, address), address);
  }

  #call(number: number, a: number, b: number = 0, c: number = 0): number {
    const { cpu } = this;
    enterKernel(cpu);
    const result = dispatch(cpu, this.#context.proc, number, a, b, c, 0, 0, 0);
    leaveKernelMode(this.#mode);
    return result;
  }

  /** Loads a byte, as a program does. */
  load8(address: number): number {
    return this.cpu.machine.frameBytes[this.#access(address, false)] as number;
  }

  /** Stores a byte, as a program does. */
  store8(address: number, value: number): void {
    this.cpu.machine.frameBytes[this.#access(address, true)] = value;
  }

  /** The byte of the machine that the access reaches. */
  #access(address: number, write: boolean): number {
    const { cpu } = this;
    const { tlb } = cpu;
    const vpn = Math.floor(address / PAGE_SIZE);
    const slot = vpn & (TLB_SLOTS - 1);
    const bases = write ? tlb.writeBase : tlb.readBase;
    const { gate } = this.#context;
    const isCurrent = peek(cpu.words, gate.generationAt) === gate.generation;
    if (!isCurrent || bases[slot] !== vpn * PAGE_SIZE) {
      const outcome = translate(this.#mode, this.#context, this, address, write);
      if (outcome !== FAULT_DONE) throw new Error(`access at ${address}: fault code ${outcome}`);
    }
    const frame = ((tlb.frameAt[slot] as number) - cpu.machine.frameBase) * 4;
    return frame + (address - vpn * PAGE_SIZE);
  }
}

function checked(call: string, result: number, address: number): number {
  if (result < 0) throw new Error(`${call} at ${address}: errno ${-result}`);
  return result;
}
