/**
 * User mode on a thread with an event loop: it ends with the thread's turn. When a program awaits
 * and the event loop takes over, the CPU leaves user mode, so that no shootdown ever waits for a
 * program that is not running.
 */
import { UserMode, enterKernel, leaveKernelMode, leaveUserMode } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { reserveStack } from './stack-reserve.ts';

export class ThreadMode {
  readonly cpu: Cpu;
  readonly user: UserMode;
  readonly #afterTurn: (run: () => void) => void;
  #turnEnds = false;

  /** `afterTurn` runs a function in a later turn of the event loop. */
  constructor(cpu: Cpu, afterTurn: (run: () => void) => void) {
    this.cpu = cpu;
    this.user = new UserMode(cpu);
    this.#afterTurn = afterTurn;
  }

  /** A process has become the live one: user mode ends with this turn. */
  becameLive(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    this.#afterTurn(() => {
      this.#turnEnds = false;
      leaveUserMode(this.user);
    });
  }

  /** Runs a kernel function on this CPU and returns to where it was: user mode or idle. */
  inKernel<Result>(work: () => Result): Result {
    reserveStack();
    enterKernel(this.cpu);
    // After a panic the CPU stays in the kernel: the machine is broken, nothing goes on.
    const result = work();
    leaveKernelMode(this.user);
    return result;
  }
}
