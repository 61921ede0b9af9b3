/** A process's nice value and its time on the CPU, between the machine and the run queue. */
import { storeWide } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { load } from '../../../shared/atomics.ts';
import * as PROCESS from '../../../shared/layout/process.ts';
import type { RunAccount } from './run-queue.ts';

export class ProcessAccount implements RunAccount {
  virtualUs = 0;
  usedUs = 0;
  readonly #cpu: Cpu;
  readonly #proc: number;
  #isOpen = false;

  /** `proc` is the process's block, which is not touched before `open` and after `close`. */
  constructor(cpu: Cpu, proc: number) {
    this.#cpu = cpu;
    this.#proc = proc;
  }

  /** The process runs on this CPU from now on. */
  open(): void {
    this.#isOpen = true;
  }

  /** The process has ended. */
  close(): void {
    this.#isOpen = false;
  }

  nice(): number {
    // ORDER: a momentary value, which others may set.
    return this.#isOpen ? load(this.#cpu.words, this.#proc + PROCESS.NICE) : 0;
  }

  publish(): void {
    if (!this.#isOpen) return;
    storeWide(this.#cpu.machine, this.#proc + PROCESS.CPU_US, Math.floor(this.usedUs));
  }
}
