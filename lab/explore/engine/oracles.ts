/**
 * The judges of an execution: some look at each step, some at its end.
 *
 * - A frame may not be freed while a CPU in user mode has a translation to it.
 * - A program's access goes to a frame in use, and while no other CPU is in the kernel, to the one
 *   that the tables name: after munmap or mprotect has returned, no CPU uses the old translation.
 *   Under the flush policy `lazy` a CPU may until it sweeps, as long as the frame is held for that.
 * - Plain accesses are ordered (runtime/race.ts).
 * - At the end: nobody sleeps, the machine passes its audit, and some order of whole operations
 *   gives the same results and the same final state.
 */
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import * as LAZY from '../../../shared/layout/lazy-flush.ts';
import * as BOOT from '../../../shared/layout/boot.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import * as FRAME from '../../../shared/layout/frame.ts';
import * as SPACE from '../../../shared/layout/space.ts';
import { PAGE_SIZE, TABLE_SHIFT } from '../../../shared/limits.ts';
import * as pte from '../../../shared/pte.ts';
import * as T from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';
import { pageName } from '../model/page-names.ts';
import { wordLabel } from '../story/word-labels.ts';
import { describeEntry } from '../story/word-value.ts';
import { entryWordOf } from './entry-word.ts';
import type { Execution } from './execution.ts';
import { hashTlbs, idleCpu, observedOf, viewOf } from './final-state.ts';
import type { Progress } from './progress.ts';
import { isExcused, placeOfExcuse } from './races-allowed.ts';
import { SequentialOutcomes } from './sequential.ts';
import type { Expectations } from './sequential.ts';
import { Subject } from './subject.ts';

/** Outcome of the audit of a final state, and what programs can see of it. */
interface FinalState {
  readonly violation: string | null;
  readonly view: string;
}

/** Of an audit's violations; a range that is wrong has one for each page. */
const SHOWN = 4;

/** Functions in which a CPU brings its TLB up to date (kernel/mmu). */
const CATCHING_UP: ReadonlySet<string> = new Set([
  'resumeUser',
  'sweepTlb',
  'tlbCatchUp',
  'applyRecord',
]);

const NOTHING_TO_JUDGE: FinalState = { violation: null, view: '' };

/** Sleeps whose time limit is part of what they mean. */
const LIMITED: Readonly<Record<string, string>> = {
  'kernel/audit/stop.ts awaitParked':
    'leaving the kernel tells nobody, which saves a load at each exit; an audit looks each slice',
  'kernel/processes/futex.ts futexSleep': 'the caller of futex(2) has set the limit',
};

export class Oracles {
  readonly #execution: Execution;
  readonly #subject: Subject;
  readonly #finals = new Map<number, FinalState>();
  readonly #excused = new Set<string>();
  readonly #sequential: SequentialOutcomes | null;
  readonly #tolerated: () => Uint8Array;
  readonly #hashChanges: (ignored: Uint8Array, beside: number) => number;

  /** `reference`: the same scenario, known to be right, or what its operations do one by one. */
  constructor(execution: Execution, subject: Subject, reference: Subject | SequentialOutcomes) {
    const { scenario, world } = subject;
    const { facade, memory, race } = subject.model.module.runtime;
    this.#execution = execution;
    this.#subject = subject;
    this.#hashChanges = memory.hashChanges;
    this.#tolerated = race.tolerated;
    const { meta, frames } = world.machine;
    const end = meta + frames * FRAME.WORDS;
    const outcomes = (): SequentialOutcomes =>
      reference instanceof Subject ? new SequentialOutcomes(reference) : reference;
    this.#sequential = scenario.linearizable === false ? null : outcomes();
    facade.setWordHook(meta, end, (at, value) => this.#metaWrite(at - meta, value));
  }

  /** Counters on which no decision depends: not worth a switch of CPUs. */
  isCounter(at: number): boolean {
    return at === BOOT.DMESG_NEXT || at === BOOT.TABLE_FRAMES;
  }

  /** The word of the entry that decides about the page of a program's access. */
  entryWord(task: Task): number {
    const { machine, cpus } = this.#subject.world;
    const { tlb } = cpus[task.id] as Cpu;
    return entryWordOf(this.#subject.words, machine.frameBase, tlb.space, task.a);
  }

  /** Before a program's access through a translation. */
  userAccess(task: Task): void {
    this.#execution.isJudged = true;
    const subject = this.#subject;
    const { machine, cpus } = subject.world;
    const vpn = task.a;
    const frame = (task.at - machine.frameBase) >> TABLE_SHIFT;
    const state = (subject.words[machine.meta + frame * FRAME.WORDS] as number) & 0xf;
    const page = pageName(vpn);
    // Frame 0 is the zero page, which is never freed.
    if (state !== FRAME.USED && (frame !== 0 || task.kind === T.USER_STORE)) {
      const name = FRAME.STATE_NAMES[state];
      this.#execution.fail(
        'stale translation',
        `CPU ${task.id} uses ${page} in frame ${frame}, which is ${name}`,
      );
      return;
    }
    for (const other of cpus) {
      if (other.id !== task.id && this.#modeOf(other) === CPU.MODE_KERNEL) return;
    }
    const entry = subject.words[this.entryWord(task)] as number;
    const needed = task.kind === T.USER_STORE ? pte.PTE_W | pte.PTE_V : pte.PTE_R | pte.PTE_V;
    if ((entry & needed) === needed && pte.pfnOf(entry) === frame) return;
    if (this.#isHeld(cpus[task.id] as Cpu, vpn, frame, entry)) return;
    const shown = describeEntry(entry);
    const what = `CPU ${task.id} uses frame ${frame} for ${page}, whose entry is: ${shown}`;
    this.#execution.fail('stale translation', what);
  }

  /**
   * Under the flush policy `lazy`: whether a record holds the frame for CPUs that have not swept
   * since it was unmapped, and nothing else is mapped at its address.
   */
  #isHeld({ tlb }: Cpu, vpn: number, frame: number, entry: number): boolean {
    const { words } = this.#subject;
    if (entry !== 0) return false;
    let record = words[tlb.space + SPACE.LAZY_HEAD] as number;
    for (; record !== 0; record = words[record + LAZY.NEXT] as number) {
      const page = vpn - (words[record + LAZY.START] as number);
      const generation = words[record + LAZY.GENERATION] as number;
      if (page < 0 || page >= (words[record + LAZY.PAGES] as number)) continue;
      if (((generation - tlb.lazyGeneration) | 0) <= 0) continue;
      const first = record + LAZY.FRAMES;
      const frames = words.subarray(first, first + (words[record + LAZY.COUNT] as number));
      if (frames.includes(frame)) return true;
    }
    return false;
  }

  race(at: number, other: number, site: number, isWrite: boolean): void {
    const where = this.#execution.siteOf(site);
    if (isExcused(where)) {
      this.#excused.add(placeOfExcuse(where));
      return;
    }
    const { caller, place, access } = where;
    const what = `${isWrite ? 'wrote' : 'read'} ${wordLabel(this.#subject, at).text}`;
    const message = `${access} at ${place} (${caller}): CPU ${other} ${what} before, unordered`;
    this.#execution.fail('race', message);
  }

  /** What whole operations would have given in the place of the execution that has ended. */
  expectations(progress: Progress, leaves: boolean): Expectations {
    if (this.#sequential === null) return { happened: '', expected: [] };
    return this.#sequential.expectations(progress, leaves);
  }

  /** The places of races-allowed.ts that were needed so far. */
  excuses(): ReadonlySet<string> {
    this.#tolerated().forEach((isNeeded, site) => {
      if (isNeeded === 1) this.#excused.add(placeOfExcuse(this.#execution.siteOf(site)));
    });
    return this.#excused;
  }

  /**
   * Nobody can take a step: the sleeper whose time limit ends now, or null when all are done, or
   * when one sleeps on a word that has changed.
   */
  stopped(sleepers: readonly Task[]): Task | null {
    let first: Task | null = null;
    for (const task of sleepers) {
      if (isTerminated(task)) continue;
      if (this.#subject.words[task.at] === task.a) {
        first ??= task;
        continue;
      }
      const { place } = this.#execution.siteOf(task.site);
      const what = `CPU ${task.id} sleeps at ${place} on a word that has changed since`;
      this.#execution.fail('lost wake-up', what);
      return null;
    }
    const { tasks } = this.#execution;
    if (first === null && tasks.some(({ status }) => status === T.SPINNING)) {
      this.#execution.fail('deadlock', this.whereStuck());
    }
    return first;
  }

  /** A CPU went on after a sleep that only its time limit had ended. */
  overslept(id: number, site: number): void {
    const where = this.#execution.siteOf(site);
    if (LIMITED[placeOfExcuse(where)] !== undefined) return;
    const what = `CPU ${id} slept at ${where.place} until its time limit: nobody woke it`;
    this.#execution.fail('lost wake-up', what);
  }

  /** The CPUs that are not done, and where they are. */
  whereStuck(): string {
    return this.#execution.tasks
      .filter((task) => task.status !== T.DONE && !isTerminated(task))
      .map((task) => `CPU ${task.id} at ${this.#execution.siteOf(task.site).place}`)
      .join(', ');
  }

  /** The end of an execution that nothing stopped. */
  finished(progress: Progress): void {
    const subject = this.#subject;
    const { scenario } = subject;
    let observed = '';
    try {
      // Each time: it may look at more than the machine's words.
      observed = subject.direct(() => scenario.observe?.(subject.world) ?? '');
    } catch (error) {
      // What a scenario looks at may be past observing.
      this.#execution.fail('audit', (error as Error).message);
      return;
    }
    let final = NOTHING_TO_JUDGE;
    if (scenario.audited !== false) {
      const hash = this.#hashChanges(subject.ignored, hashTlbs(subject.world.cpus));
      final = this.#finals.get(hash) ?? this.#judge();
      this.#finals.set(hash, final);
    }
    if (final.violation !== null) {
      this.#execution.fail('audit', final.violation);
    } else if (this.#sequential !== null) {
      const problem = this.#sequential.problem(progress, observedOf(observed, final.view));
      if (problem !== null) this.#execution.fail('not linearizable', problem);
    }
  }

  #judge(): FinalState {
    const subject = this.#subject;
    const { module } = subject.model;
    for (const cpu of subject.world.cpus) {
      const bad = subject.direct(() => module.tlbAudit(cpu, cpu.tlb));
      if (bad.length > 0) return { violation: `TLB of CPU ${cpu.id} is wrong`, view: '' };
    }
    const auditor = idleCpu(subject);
    subject.direct(() => module.enterKernel(auditor));
    const { violations } = subject.direct(() => module.audit(auditor));
    subject.direct(() => module.leaveKernel(auditor));
    if (violations.length === 0) {
      return { violation: null, view: this.#sequential === null ? '' : viewOf(subject) };
    }
    const more = violations.length > SHOWN ? '; …' : '';
    return { violation: violations.slice(0, SHOWN).join('; ') + more, view: '' };
  }

  #modeOf(cpu: Cpu): number {
    return (this.#subject.words[cpu.base + CPU.MODE] as number) & CPU.MODE_MASK;
  }

  /**
   * Whether a CPU that says USER has yet to apply what it missed, before its next access: it is on
   * its way out of the kernel, where no initiator waits for it, and has acknowledged nothing new.
   */
  #isCatchingUp(cpu: Cpu): boolean {
    const { site } = this.#execution.tasks[cpu.id] as Task;
    if (!CATCHING_UP.has(this.#execution.siteOf(site).caller)) return false;
    return cpu.words[cpu.base + CPU.ACK] === cpu.tlb.generation;
  }

  /** A plain write to frame metadata, before it happens. */
  #metaWrite(offset: number, value: number): void {
    if (offset % FRAME.WORDS !== FRAME.STATE || (value & 0xf) !== FRAME.CACHED) return;
    const subject = this.#subject;
    const { machine, cpus } = subject.world;
    // A free frame becomes a cached one when a cache is refilled: that is no free.
    const before = (subject.words[machine.meta + offset] as number) & 0xf;
    if (before < FRAME.USED) return;
    this.#execution.isJudged = true;
    const frame = offset / FRAME.WORDS;
    const frameAt = machine.frameBase + (frame << TABLE_SHIFT);
    for (const cpu of cpus) {
      const { id, tlb } = cpu;
      if (this.#modeOf(cpu) !== CPU.MODE_USER || this.#isCatchingUp(cpu)) continue;
      for (let i = 0; i < tlb.filledCount; i++) {
        const slot = tlb.filled[i] as number;
        if (tlb.frameAt[slot] !== frameAt || !((tlb.readBase[slot] as number) >= 0)) continue;
        const page = pageName((tlb.readBase[slot] as number) / PAGE_SIZE);
        const what = `frame ${frame} is freed, but CPU ${id}, in user mode, has it at ${page}`;
        this.#execution.fail('freed while mapped', what);
      }
    }
  }
}

/** A condemned CPU sleeps until its Worker is ended: it is done. */
function isTerminated(task: Task): boolean {
  return task.kind === T.WAIT && task.a === CPU.MODE_DEAD;
}
