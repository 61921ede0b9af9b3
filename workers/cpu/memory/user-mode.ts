/**
 * User mode of a CPU worker: which process's program is running on this thread at this moment.
 *
 * One process at a time is *live*: its accesses go through the CPU's TLB, and CPU.MODE says USER of
 * its space. All others see an empty TLB and miss, and the miss makes them live. When the thread's
 * turn is over (the program awaits, and the event loop comes round) the CPU leaves user mode, so
 * that no shootdown ever waits for a program that is not running.
 *
 * Guarantees: code between two awaits that hits the TLB runs with CPU.MODE = USER of its own space.
 */
import {
  enterKernel,
  leaveKernel,
  leaveUser,
  resumeUser,
  tlbReset,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';

/** A process's view of the TLB. */
export interface UserContext {
  /** Block of its address space. */
  readonly space: number;
  /** Looks through the TLB from now on. */
  goLive(): void;
  /** Sees nothing from now on. */
  goDark(): void;
}

export class UserMode {
  readonly cpu: Cpu;
  readonly #afterTurn: (run: () => void) => void;
  #live: UserContext | null = null;
  #turnEnds = false;

  /** `afterTurn` runs a function when the event loop comes round. */
  constructor(cpu: Cpu, afterTurn: (run: () => void) => void) {
    this.cpu = cpu;
    this.#afterTurn = afterTurn;
  }

  isLive(context: UserContext): boolean {
    return this.#live === context;
  }

  /** Makes a process the live one. */
  enter(context: UserContext): void {
    if (this.#live === context) return;
    enterKernel(this.cpu);
    this.#live?.goDark();
    this.#live = context;
    this.#resume(context);
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#afterTurn(() => {
      this.#turnEnds = false;
      this.leave();
    });
  }

  /** Leaves user mode, if the CPU is in it. */
  leave(): void {
    if (this.#live === null) return;
    this.#live.goDark();
    this.#live = null;
    leaveUser(this.cpu);
  }

  /** In kernel mode: no process is live when the CPU leaves it, if this one was. */
  drop(context: UserContext): void {
    if (this.#live !== context) return;
    this.#live = null;
    context.goDark();
  }

  /** A process has ended: its translations go with it, unless a thread is using them. */
  forget(context: UserContext): void {
    if (this.#live === context) this.leave();
    if (this.#live?.space === context.space) return;
    if (this.cpu.tlb.space === context.space) tlbReset(this.cpu.tlb);
  }

  /** Runs a kernel function on this CPU and returns to where it was: user mode or idle. */
  inKernel<Result>(work: () => Result): Result {
    this.enterKernel();
    // After a panic the CPU stays in the kernel: the machine is broken, nothing goes on.
    const result = work();
    this.leaveKernel();
    return result;
  }

  /** The two halves of `inKernel`, for paths on which a closure is a cost. */
  enterKernel(): void {
    enterKernel(this.cpu);
  }

  leaveKernel(): void {
    if (this.#live !== null) this.#resume(this.#live);
    else leaveKernel(this.cpu);
  }

  /** Into the kernel and out again: parks while the machine is stopped. */
  passKernel(): void {
    this.enterKernel();
    this.leaveKernel();
  }

  #resume(context: UserContext): void {
    resumeUser(this.cpu, this.cpu.tlb, context.space);
    context.goLive();
  }
}
