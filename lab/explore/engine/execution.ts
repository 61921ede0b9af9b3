/**
 * An execution as its parts see it. The executor runs it; strategies, judges and the recorder of
 * results each look at the little of it that they need.
 */
import type { Site } from '../build/transform.ts';
import type { Task } from '../runtime/task.ts';
import type { FailureKind } from './failure.ts';

/** What a strategy chooses from. */
export interface Choices {
  readonly tasks: readonly Task[];
  /** Whether the pending weak load of a task may read an older value than the word has. */
  hasOld(task: Task): boolean;
  /** Set when a judge looks at a step, or it does more than its access: it depends on others. */
  isJudged: boolean;
  /** The hash of the present state in two halves, where the strategy compares states. */
  hashState(): { readonly low: number; readonly high: number };
}

/** What a judge looks at, and how it gives its verdict. */
export interface Execution {
  readonly tasks: readonly Task[];
  /** Where the access of this number stands in the sources. */
  siteOf(index: number): Site;
  /** Ends the execution. Only the first failure counts. */
  fail(kind: FailureKind, message: string): void;
  isJudged: boolean;
}
