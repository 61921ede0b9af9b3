/**
 * A failing execution as it is told: what each CPU did, in order, what went wrong, and what whole
 * operations would have given. Text and numbers only, so that a page can show it.
 */

export interface Moment {
  /** Steps taken so far in the whole execution. */
  readonly step: number;
  readonly cpu: number;
  /** 'changes the entry of page 0 to empty', an operation, '→ 0', 'waits for …'. */
  readonly text: string;
  /** file:line, or '' where there is none. */
  readonly place: string;
  readonly kind: 'access' | 'operation' | 'result' | 'wait';
  /** Not needed to understand the failure. */
  readonly isMinor: boolean;
  /** Accesses by this CPU before it, since its last moment, that concern nobody else. */
  readonly skipped: number;
  /** The machine after it: index in `states`. */
  readonly state: number;
}

/** A table of two columns: page and what is there. */
export interface Listing {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
}

/** What can be seen of the machine at a moment. */
export interface MachineState {
  /** By CPU: 'user mode, process 1'. */
  readonly modes: readonly string[];
  /** A page table for each address space. */
  readonly tables: readonly Listing[];
  /** By CPU. */
  readonly tlbs: readonly Listing[];
}

/** The switch of CPUs without which nothing would have gone wrong. */
export interface DecisiveSwitch {
  /** Index of the first moment after it. */
  readonly moment: number;
  readonly text: string;
}

export interface Story {
  /** 'shootdown-user under rcu'. */
  readonly title: string;
  /** What the scenario does, in a sentence. */
  readonly about: string;
  /** The bug that was put in, '' for none. */
  readonly bug: string;
  /** By CPU, what it was to do. */
  readonly operations: readonly string[];
  readonly moments: readonly Moment[];
  readonly states: readonly MachineState[];
  /** Kind of the failure, 'none' for none. */
  readonly kind: string;
  /** As the report has it. */
  readonly failure: string;
  /** What went wrong, in a sentence. */
  readonly wrong: string;
  /** What the operations returned and left, '' where that is not the question. */
  readonly happened: string;
  /** What they may return and leave, each with an order of whole operations; [] for anything. */
  readonly expected: readonly string[];
  readonly decisive: DecisiveSwitch | null;
  /** Terms of the story and their meanings. */
  readonly terms: readonly (readonly [string, string])[];
}

/** CPUs that do something in the story besides waiting: those that get a lane. */
export function lanesOf({ moments, operations }: Story): number[] {
  return operations
    .map((_, cpu) => cpu)
    .filter((id) => moments.some(({ cpu, kind }) => cpu === id && kind !== 'wait'));
}

/** What is said of a CPU that gets no lane. */
export function idleText({ states, operations }: Story, cpu: number): string {
  const mode = states[states.length - 1]?.modes[cpu] ?? '';
  const list = operations[cpu] ?? '';
  const before = list === '' ? '' : `, before ${list.split(', ')[0] ?? ''}`;
  return `CPU ${cpu} takes no step: ${mode}${before}`;
}
