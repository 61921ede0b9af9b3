/** Kernel functions run between entering and leaving the kernel; this is the bracket. */
import { enterKernel, leaveKernel } from '../../kernel/index.ts';
import type { Cpu } from '../../kernel/index.ts';

/**
 * Runs `work` in kernel mode on `cpu`. What it throws is a broken kernel, with locks held perhaps:
 * it ends this Worker, and with it the machine, whoever catches the exception on its way.
 */
export function inKernel<Result>(cpu: Cpu, work: () => Result): Result {
  try {
    enterKernel(cpu);
    const result = work();
    leaveKernel(cpu);
    return result;
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
    throw error;
  }
}
