/**
 * Writes down what happens in one execution. Accesses to words that CPUs share become moments, and
 * so do changes of page tables; of the others it is known how many there were.
 */
import { isTableWord } from '../../../shared/layout/names.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import type { Executor } from '../engine/executor.ts';
import { CPU_MASK } from '../engine/strategy.ts';
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import { describeResult } from './describe-result.ts';
import { viewMachine } from './machine-view.ts';
import type { MachineView } from './machine-view.ts';
import { isRead, phraseOf } from './phrases.ts';
import type { Access } from './phrases.ts';
import { Snapshots } from './snapshots.ts';
import type { Moment } from './story.ts';
import { labelOf } from './word-labels.ts';
import type { Label } from './word-labels.ts';
import { describeLock } from './word-value.ts';

/** A moment before it is known what the story makes of it. */
export type Draft = Omit<Moment, 'isMinor'> & {
  /** null for what is no access. */
  readonly access: Access | null;
  readonly label: Label | null;
  /** Counts the CPU's operations. */
  readonly operation: number;
};

/** Changes of entries that are told in a row: an operation on a range has hundreds alike. */
const ENTRIES_MAX = 3;

export class Recorder {
  readonly drafts: Draft[] = [];
  readonly snapshots: Snapshots;
  readonly #executor: Executor;
  #view: MachineView;
  /** By CPU. */
  readonly #skipped: number[];
  readonly #entries: number[];
  readonly #begun: number[];
  readonly #done: number[];
  readonly #statuses: number[];
  #isOver = false;
  /** The machine after the last moment is yet to be looked at. */
  #isOpen = false;

  constructor(executor: Executor) {
    const { subject, tasks } = executor;
    this.#executor = executor;
    this.#view = viewMachine(subject.world.machine, subject.world.machine.frames);
    this.snapshots = new Snapshots(subject);
    const zeroes = (): number[] => tasks.map(() => 0);
    [this.#skipped, this.#entries, this.#begun] = [zeroes(), zeroes(), zeroes()];
    [this.#done, this.#statuses] = [zeroes(), zeroes()];
  }

  /** Hears of every access, before or after it is made. */
  heard(kind: string, at: number, value: number, site: number): void {
    const executor = this.#executor;
    // What a CPU does after the failure, until it is stopped, is no part of it.
    if (executor.steps === 0 || this.#isOver) return;
    this.#catchUp();
    this.#isOver = executor.failure !== null;
    const cpu = (executor.schedule[executor.steps - 1] as number) & CPU_MASK;
    if (!this.#isTold(cpu, kind, at)) {
      this.#skipped[cpu]!++;
      return;
    }
    const { machine } = executor.subject.world;
    // Tables may have been linked by accesses that are not told.
    this.#view = viewMachine(machine, machine.frames);
    const access = { cpu, kind, at, value };
    const label = this.#labelOf(at);
    const text = phraseOf(machine, this.#view, access, label);
    this.#add(cpu, 'access', text, executor.siteOf(site).place, access, label);
  }

  /** The execution has ended. */
  close(): void {
    this.#catchUp();
  }

  #labelOf(at: number): Label {
    return labelOf(this.#executor.subject, this.#view, at);
  }

  #isTold(cpu: number, kind: string, at: number): boolean {
    const { sharing, subject } = this.#executor;
    if (sharing.points[at] === 1 || this.#isOver) {
      this.#entries[cpu] = 0;
      return true;
    }
    if (isRead(kind) || !isTableWord(subject.world.machine, at)) return false;
    this.#entries[cpu]!++;
    return (this.#entries[cpu] as number) <= ENTRIES_MAX;
  }

  /** What has happened since the last access besides accesses. */
  #catchUp(): void {
    const { subject, progress, tasks } = this.#executor;
    const { machine } = subject.world;
    if (this.#isOpen) {
      this.#view = viewMachine(machine, machine.frames);
      this.snapshots.take(this.#view);
      this.#isOpen = false;
    }
    for (const task of tasks) {
      const { id } = task;
      for (;;) {
        const list = subject.programs[id] ?? [];
        const [begun, done] = [this.#begun[id] as number, this.#done[id] as number];
        if (done < begun && done < (progress.done[id] as number)) {
          const result = (progress.results[id] as number[])[done];
          const text = list[done] === undefined ? '' : describeResult(list[done], result);
          this.#done[id]!++;
          if (done < list.length - 1) this.#add(id, 'result', `→ ${text}`);
        } else if (begun < (progress.begun[id] as number)) {
          this.#begun[id]!++;
          this.#add(id, 'operation', list[begun]?.name ?? '?');
        } else break;
      }
      this.#noteWait(task);
    }
  }

  #noteWait(task: Task): void {
    const before = this.#statuses[task.id];
    this.#statuses[task.id] = task.status;
    if (task.status === before) return;
    if (task.status === T.SPINNING) this.#add(task.id, 'wait', 'waits in a loop');
    if (task.status !== T.SLEEPING) return;
    if (task.a === CPU.MODE_DEAD) {
      this.#add(task.id, 'wait', 'is stopped for good');
      return;
    }
    const { text, isLock } = this.#labelOf(task.at);
    const lock = `waits for ${text}, ${describeLock(task.a)}`;
    this.#add(task.id, 'wait', isLock ? lock : `sleeps until ${text} changes`);
  }

  #add(
    cpu: number,
    kind: Moment['kind'],
    text: string,
    place = '',
    access: Access | null = null,
    label: Label | null = null,
  ): void {
    const skipped = this.#skipped[cpu] as number;
    this.#skipped[cpu] = 0;
    this.drafts.push({
      ...{ step: this.#executor.steps, cpu, text, place, kind, skipped, access, label },
      operation: this.#begun[cpu] as number,
      state: this.snapshots.next,
    });
    this.#isOpen = true;
  }
}
