/** How far each CPU has come in its list of operations, and what came out. */
import type { Operation } from '../model/kit.ts';
import type { Subject } from './subject.ts';

export type Coroutine = Generator<number, unknown, number>;

export class Progress {
  /** How many operations each CPU has begun, and how many it has done. */
  readonly begun: number[];
  readonly done: number[];
  /** Results of the done operations by CPU, and the steps at which they began and ended. */
  readonly results: readonly number[][];
  readonly began: readonly number[][];
  readonly ended: readonly number[][];
  /** The operation that each CPU is in, suspended or running. */
  readonly running: (Coroutine | null)[];
  readonly #subject: Subject;
  readonly #finish: Operation;

  constructor(subject: Subject) {
    const perOperation = (): number[][] => subject.programs.map((list) => list.map(() => 0));
    this.begun = subject.programs.map(() => 0);
    this.done = subject.programs.map(() => 0);
    this.results = perOperation();
    this.began = perOperation();
    this.ended = perOperation();
    this.running = subject.programs.map(() => null);
    this.#subject = subject;
    // Read from the bundle's namespace once, since each read calls a getter.
    this.#finish = subject.model.module.finish;
  }

  reset(): void {
    for (let id = 0; id < this.begun.length; id++) {
      this.begun[id] = 0;
      this.done[id] = 0;
      this.running[id] = null;
    }
  }

  /** Begins the next operation of a CPU. Its coroutine, or its result when it needs none. */
  start(id: number, step: number): Coroutine | number {
    const { world, programs } = this.#subject;
    const index = this.begun[id] as number;
    const operation = programs[id]?.[index];
    const cpu = world.cpus[id];
    if (operation === undefined || cpu === undefined) throw new Error(`no CPU ${id}`);
    (this.began[id] as number[])[index] = step;
    this.begun[id] = index + 1;
    const started: unknown = operation.run(world, cpu);
    if (typeof started !== 'object' || started === null) return Number(started);
    const coroutine = started as Coroutine;
    this.running[id] = coroutine;
    return coroutine;
  }

  /** Notes the end of the operation that a CPU is in. False when it was the CPU's last. */
  end(id: number, step: number, result: number): boolean {
    const index = this.done[id] as number;
    (this.results[id] as number[])[index] = result;
    (this.ended[id] as number[])[index] = step;
    this.done[id] = index + 1;
    this.running[id] = null;
    const { programs, world } = this.#subject;
    const next = programs[id]?.[index + 1];
    // A program that is not in user mode need not leave it.
    return next !== undefined && (next !== this.#finish || world.modes[id]?.live !== null);
  }
}
