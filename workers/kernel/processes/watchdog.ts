/**
 * Finds Workers that a program does not give back, and has them replaced.
 *
 *     goes on     a process has ended, and its code keeps the turn of the event loop in which it
 *                 did: a loop that catches everything, for(;;) after exit, a chain of microtasks
 *     calls on    what it left behind calls the machine in turn after turn
 *     stays       a process was killed, and does not notice (process-manager.ts)
 *
 * Guarantees: such a Worker is ended within a second of the process's end, or of the kill, if the
 * host lets this thread run; never one whose program computes for long, however long. What has not
 * begun there goes to other Workers (dispatcher.ts); the rest is killed, and told why.
 */
import { LOG_RUNAWAY, STAT, count, logEvent } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { load } from '../../../shared/atomics.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import { RUNAWAY_MS } from '../../../shared/limits.ts';
import { inKernel } from '../in-kernel.ts';
import type { Pool, Slot } from './pool.ts';

/** Looks of the watchdog, 10 ms apart, which that takes at least: a stalled kernel is no proof. */
const RUNAWAY_LOOKS = 25;
/** Runaways that the audit remembers by name. */
const RUNAWAYS_KEPT = 64;

/** A process whose code has been found on a CPU after its end. */
interface Sighting {
  readonly pid: number;
  readonly generation: number;
  readonly sinceMs: number;
  looks: number;
}

export interface WatchdogNeeds {
  readonly cpu: Cpu;
  readonly pool: Pool;
}

export class Watchdog {
  readonly #needs: WatchdogNeeds;
  readonly #sightings = new Map<number, Sighting>();
  /** What the audit says of Workers that were replaced, the last ones. */
  readonly #replaced: string[] = [];

  constructor(needs: WatchdogNeeds) {
    this.#needs = needs;
  }

  /** Looks at every Worker. Called at every tick. */
  look(nowMs: number): void {
    for (const slot of this.#needs.pool.live()) {
      const sighting = this.#sight(slot, nowMs);
      if (sighting === null) continue;
      const { pid, sinceMs, looks } = sighting;
      if (looks < RUNAWAY_LOOKS || nowMs - sinceMs < RUNAWAY_MS) continue;
      this.#sightings.delete(slot.cpu);
      this.replace(slot, pid, `the code of process ${pid} went on after its end`);
    }
  }

  /** A CPU's Worker reports that what a process left behind calls the machine again and again. */
  callsOn(cpu: number, pid: number): void {
    const slot = this.#needs.pool.slot(cpu);
    if (slot === undefined) return;
    this.replace(slot, pid, `process ${pid} left code behind that went on after its end`);
  }

  /** Ends a Worker, for `reason`, because process `pid` does not let go of it. */
  replace(slot: Slot, pid: number, reason: string): void {
    const { cpu, pool } = this.#needs;
    if (slot.state !== 'live') return;
    inKernel(cpu, () => {
      logEvent(cpu, LOG_RUNAWAY, slot.cpu, pid, 0);
      count(cpu, STAT.runawayWorkers, 1);
    });
    this.#replaced.push(`CPU ${slot.cpu} got a new Worker: ${reason}`);
    if (this.#replaced.length > RUNAWAYS_KEPT) this.#replaced.shift();
    pool.end(slot, reason);
  }

  /** Workers that were replaced, and those that an ended process keeps at this moment. */
  notes(): string[] {
    const present = this.#needs.pool.live().flatMap((slot) => {
      const sighting = this.#sightings.get(slot.cpu);
      if (sighting === undefined || sighting.generation !== slot.generation) return [];
      if (sighting.pid !== this.#endedOn(slot)) return [];
      return [`CPU ${slot.cpu}: the code of process ${sighting.pid} goes on after its end`];
    });
    return [...this.#replaced, ...present];
  }

  /** The process that has ended in the CPU's present turn, 0 for none. */
  #endedOn({ cpu }: Slot): number {
    const { words, cpuBase } = this.#needs.cpu.machine;
    // ORDER: a hint that is looked at again and again.
    return load(words, cpuBase + cpu * CPU.WORDS + CPU.ENDED_PID);
  }

  #sight(slot: Slot, nowMs: number): Sighting | null {
    const pid = this.#endedOn(slot);
    if (pid === 0) {
      this.#sightings.delete(slot.cpu);
      return null;
    }
    const before = this.#sightings.get(slot.cpu);
    if (before?.pid === pid && before.generation === slot.generation) {
      before.looks++;
      return before;
    }
    const { generation } = slot;
    const sighting = { pid, generation, sinceMs: nowMs, looks: 1 };
    this.#sightings.set(slot.cpu, sighting);
    return sighting;
  }
}
