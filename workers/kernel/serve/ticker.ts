/** What the kernel worker does at each tick of the machine's clock. */
import {
  INJECT_WORKER,
  injected,
  prezero,
  setJiffies,
  sweepSpaces,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import { modeOf } from '../cpu-mode.ts';
import type { ObjectRegistry } from '../files/object-registry.ts';
import { inKernel } from '../in-kernel.ts';
import type { Reclaimer } from '../memory/reclaimer.ts';
import type { Pool } from '../processes/pool.ts';
import type { ProcessManager } from '../processes/process-manager.ts';
import type { Watchdog } from '../processes/watchdog.ts';

/** Resolution of the machine's clock, and how soon a condemned CPU is noticed. */
const TICK_MS = 10;
/** Longest time that a tick spends zeroing frames ahead. */
const PREZERO_MS = 1;

export interface TickerNeeds {
  readonly cpu: Cpu;
  readonly pool: Pool;
  readonly processes: ProcessManager;
  readonly watchdog: Watchdog;
  readonly objects: ObjectRegistry;
  readonly reclaimer: Reclaimer;
  /** Frames to be kept zeroed ahead. */
  readonly prezeroFrames: number;
  /** An integer from 0 to a bound - 1. */
  readonly random: (bound: number) => number;
}

export class Ticker {
  readonly #needs: TickerNeeds;
  readonly #bootedMs = performance.now();

  constructor(needs: TickerNeeds) {
    this.#needs = needs;
  }

  start(): void {
    setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const { cpu, pool, processes, watchdog, objects, reclaimer } = this.#needs;
    setJiffies(cpu.machine, performance.now() - this.#bootedMs);
    processes.balance();
    watchdog.look(performance.now());
    reclaimer.reclaimInBackground();
    this.#prezero();
    if (injected(cpu, INJECT_WORKER)) this.#killWorker();
    objects.tick(performance.now());
    if (cpu.machine.flushPolicy === 'lazy') inKernel(cpu, () => sweepSpaces(cpu));
    for (const slot of pool.live()) {
      if (modeOf(cpu, slot.cpu) === CPU.MODE_DEAD) {
        pool.end(slot, 'a shootdown waited too long for its acknowledgement');
      }
    }
  }

  /** Zeroes free frames for a millisecond at most. */
  #prezero(): void {
    const { cpu, prezeroFrames } = this.#needs;
    const deadlineMs = performance.now() + PREZERO_MS;
    let zeroed = prezeroFrames;
    while (zeroed > 0 && performance.now() < deadlineMs) {
      zeroed = inKernel(cpu, () => prezero(cpu, prezeroFrames));
    }
  }

  /** An injected fault: a Worker dies, but none that runs a program the host started. */
  #killWorker(): void {
    const { pool, processes, random } = this.#needs;
    const spared = new Set(processes.table.ofHost().map(({ cpu }) => cpu));
    const victims = pool.live().filter(({ cpu }) => !spared.has(cpu));
    const slot = victims[random(victims.length)];
    if (slot !== undefined) pool.end(slot, 'killed on purpose (inject)');
  }
}
