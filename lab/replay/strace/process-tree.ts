/** Recorded processes and threads, by their numbers, and the simulated ones that stand for them. */
import { execProcess } from '../../../kernel/lifecycle/exec.ts';
import * as SCHED from '../../../shared/abi/sched.ts';
import { ReplayProcess, DescriptorTable } from '../machine/replay-process.ts';
import type { ReplayMachine } from '../machine/replay-machine.ts';
import { ReplaySpace } from '../machine/replay-space.ts';
import type { Birth, Survey } from './survey.ts';

export class ProcessTree {
  readonly living: Map<number, ReplayProcess> = new Map();
  readonly #machine: ReplayMachine;
  readonly #survey: Survey;
  /** Of each number: how many of its births have been carried out. */
  readonly #born = new Map<number, number>();
  /** Flags of the clones that have not returned, by the caller. */
  readonly #cloning = new Map<number, number>();
  /** The first process. */
  first: ReplayProcess | null = null;
  #last: ReplayProcess | null = null;

  constructor(machine: ReplayMachine, survey: Survey) {
    this.#machine = machine;
    this.#survey = survey;
  }

  /**
   * The process with this number; made now, if this is its first line. A child's first line may
   * come before its parent's clone has returned. Null: the machine has no room for it.
   */
  of(recorded: number, line: number): ReplayProcess | null {
    if (this.#last?.recorded === recorded && this.living.has(recorded)) return this.#last;
    let process = this.living.get(recorded) ?? null;
    if (process === null) {
      const birth = this.#birthOf(recorded, line);
      const parent = birth === null ? undefined : this.living.get(birth.parent);
      if (birth === null) process = this.#begin(recorded, line);
      else if (parent !== undefined) {
        process = this.#clone(recorded, parent, this.#cloning.get(birth.parent) ?? 0);
      }
    }
    this.first ??= process;
    this.#last = process;
    return process;
  }

  /** A process has called clone; which child it makes is not known yet. */
  beginClone(recorded: number, flags: number): void {
    this.#cloning.set(recorded, flags);
  }

  /** A clone has returned. False: the machine has no room for what it made. */
  endClone(parent: ReplayProcess, child: number, flags: number, line: number): boolean {
    this.#cloning.delete(parent.recorded);
    const birth = this.#birthOf(child, line);
    // Its lines came first.
    if (birth === null || birth.endedAt !== line) return true;
    const before = this.living.get(child);
    if (before !== undefined) this.end(before);
    return this.#clone(child, parent, flags) !== null;
  }

  /** The next birth of a number, if it began before this line. */
  #birthOf(recorded: number, line: number): Birth | null {
    const birth = this.#survey.births.get(recorded)?.[this.#born.get(recorded) ?? 0];
    return birth !== undefined && birth.beganAt <= line ? birth : null;
  }

  /** A process that nobody in the recording has made. Null without room. */
  #begin(recorded: number, line: number): ReplayProcess | null {
    const relocation = this.#survey.relocationAt(line);
    // Of a process for which there was no room when it was made.
    if (relocation === null) return null;
    const pid = this.#machine.create({ name: 'recorded', cpu: 0, parent: 0 });
    if (pid < 0) return null;
    const space = new ReplaySpace(relocation);
    return this.#enter(recorded, pid, { name: '', space, tgid: pid }, new DescriptorTable());
  }

  /** Carries out the clone that `birth` is. Null without room. */
  #clone(recorded: number, parent: ReplayProcess, flags: number): ReplayProcess | null {
    this.#born.set(recorded, (this.#born.get(recorded) ?? 0) + 1);
    const has = (flag: number): boolean => (flags & flag) !== 0;
    const sharesMemory = has(SCHED.CLONE_VM);
    const pid = this.#machine.create({
      ...{ name: 'recorded', cpu: 0, parent: parent.pid },
      ...(sharesMemory ? { thread: true } : { fork: true }),
      ...(has(SCHED.CLONE_THREAD) ? { tgid: parent.tgid } : {}),
    });
    if (pid < 0) return null;
    const space = sharesMemory ? parent.space : parent.space.fork();
    const tgid = has(SCHED.CLONE_THREAD) ? parent.tgid : pid;
    const { descriptors } = parent;
    const table = has(SCHED.CLONE_FILES) ? descriptors : descriptors.copy();
    return this.#enter(recorded, pid, { name: parent.name, space, tgid }, table);
  }

  /** execve: an empty space, for a program that begins in this line. False without memory. */
  exec(process: ReplayProcess, name: string, line: number): boolean {
    const relocation = this.#survey.relocationAt(line);
    if (relocation === null || execProcess(this.#machine.cpu, process.pid, name) < 0) return false;
    this.#machine.passGracePeriod();
    process.name = name;
    process.space.users--;
    process.space = new ReplaySpace(relocation);
    process.space.users++;
    return true;
  }

  end(process: ReplayProcess): void {
    this.living.delete(process.recorded);
    process.space.users--;
    this.#machine.end(process.pid);
  }

  /** A thread goes on under its leader's number. */
  rename(process: ReplayProcess, recorded: number, leader: ReplayProcess | undefined): void {
    if (leader !== undefined && leader === this.first) this.first = process;
    this.#last = null;
    this.living.delete(process.recorded);
    process.recorded = recorded;
    this.living.set(recorded, process);
  }

  #enter(
    recorded: number,
    pid: number,
    parts: Pick<ReplayProcess, 'name' | 'space' | 'tgid'>,
    descriptors: DescriptorTable,
  ): ReplayProcess {
    const process = new ReplayProcess(this.#machine, { recorded, pid, descriptors, ...parts });
    this.living.set(recorded, process);
    process.space.users++;
    return process;
  }
}
