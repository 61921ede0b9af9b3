/**
 * What executions have taught about a scenario: who uses which word, and which words programs poll.
 * Scheduling points follow from it, so searches with equal knowledge cut the same tree.
 */
import type { Executor } from './executor.ts';
import { isConflict } from './sharing.ts';
import type { Use } from './sharing.ts';

export interface Knowledge {
  readonly uses: readonly Use[];
  readonly polls: readonly number[];
}

export const NOTHING_KNOWN: Knowledge = { uses: [], polls: [] };

/** The executor knows this and nothing else. Its race detector watches all that follows. */
export function adopt(executor: Executor, { uses, polls }: Knowledge): void {
  const { race } = executor.subject.model.module.runtime;
  executor.sharing.adopt(uses);
  for (const at of polls) executor.identity.isNewPoll(at);
  race.armBefore();
}

export function knowledgeOf(executor: Executor): Knowledge {
  return { uses: executor.sharing.known(), polls: executor.identity.polled };
}

/** What is known by both; `isNew`: one scheduling point or poll more than `mine` has. */
export function merge(mine: Knowledge, other: Knowledge): Knowledge & { readonly isNew: boolean } {
  const uses = new Map(mine.uses);
  let isNew = other.polls.some((at) => !mine.polls.includes(at));
  for (const [at, more] of other.uses) {
    const before = uses.get(at) ?? 0;
    if ((before | more) === before) continue;
    uses.set(at, before | more);
    isNew ||= isConflict(before | more) && !isConflict(before);
  }
  return { uses: [...uses], polls: [...new Set([...mine.polls, ...other.polls])], isNew };
}
