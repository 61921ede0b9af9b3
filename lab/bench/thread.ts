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
  acknowledge,
  dispatch,
  enterKernel,
  handleFault,
  leaveKernel,
  resumeUser,
  sysMmap,
  sysMunmap,
  walk,
} from '../../kernel/index.ts';
import type { Cpu } from '../../kernel/index.ts';
import { peek } from '../../shared/atomics.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { SYS_BRK, SYS_MADVISE } from '../../shared/abi/syscalls.ts';
import type { Waiter } from './control.ts';

export const RW: number = M.PROT_READ | M.PROT_WRITE;
export const ANONYMOUS: number = M.MAP_PRIVATE | M.MAP_ANONYMOUS;

export class BenchThread implements Waiter {
  readonly cpu: Cpu;
  #proc = 0;
  #space = 0;
  #generationAt = 0;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
  }

  /** Chooses the process whose address space the next `enter` runs. */
  adopt(proc: number): void {
    this.#proc = proc;
    this.#space = peek(this.cpu.words, proc + PROCESS.SPACE);
    this.#generationAt = this.#space + SPACE.TLB_GEN;
  }

  enter(): void {
    enterKernel(this.cpu);
    resumeUser(this.cpu, this.cpu.tlb, this.#space);
  }

  leave(): void {
    enterKernel(this.cpu);
    leaveKernel(this.cpu);
  }

  poll(): void {
    const { words, tlb } = this.cpu;
    if (peek(words, this.#generationAt) !== tlb.generation) acknowledge(this.cpu, tlb);
  }

  /** The address. `address` 0 leaves the choice to the kernel. */
  mmap(address: number, length: number, flags: number, fd: number = -1): number {
    const { cpu } = this;
    enterKernel(cpu);
    const result = sysMmap(cpu, this.#proc, address, length, RW, flags, fd, 0);
    resumeUser(cpu, cpu.tlb, this.#space);
    return checked('mmap', result, address);
  }

  munmap(address: number, length: number): void {
    const { cpu } = this;
    enterKernel(cpu);
    const result = sysMunmap(cpu, this.#proc, address, length);
    resumeUser(cpu, cpu.tlb, this.#space);
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
    const result = dispatch(cpu, this.#proc, number, a, b, c, 0, 0, 0);
    resumeUser(cpu, cpu.tlb, this.#space);
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
    for (;;) {
      this.poll();
      if (bases[slot] === vpn * PAGE_SIZE || walk(cpu, tlb, vpn, write)) break;
      enterKernel(cpu);
      const outcome = handleFault(cpu, this.#space, vpn, write);
      resumeUser(cpu, tlb, this.#space);
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
