/** Leaves out a lock and what unlocks it in the same function, or the lock alone. */
import type { Node } from '../../build/syntax.ts';
import { field, list } from '../../build/syntax.ts';
import { replaced } from '../change.ts';
import type { Change } from '../change.ts';
import { calleeName, nodesOf, sourceOf } from '../kernel-function.ts';
import type { KernelFunction } from '../kernel-function.ts';
import { roleOfName } from '../roles.ts';

interface Taking {
  readonly statement: Node;
  readonly name: string;
  readonly words: readonly string[];
}

export function* dropLock(fn: KernelFunction): Iterable<Change> {
  const takings = takingsOf(fn, 'lock');
  const releases = takingsOf(fn, 'unlock');
  for (const taken of takings) {
    const its = releases.filter((release) => isReleasedBy(taken, release));
    const edits = [taken, ...its].map(({ statement }) => replaced(statement, ';'));
    yield { operator: 'drop-lock', at: taken.statement, edits };
  }
}

/** Whether one statement releases what the other takes: `unlockPage(cpu, cursor)`, for instance. */
function isReleasedBy(taken: Taking, release: Taking): boolean {
  if (unlockName(taken.name) !== release.name) return false;
  return release.words.every((word, i) => taken.words[i] === word);
}

function unlockName(lockName: string): string {
  return lockName.replace(/[lL]ock/, (word) => (word === 'Lock' ? 'Unlock' : 'unlock'));
}

function takingsOf(fn: KernelFunction, role: 'lock' | 'unlock'): Taking[] {
  return nodesOf(fn.body).flatMap((statement) => {
    if (statement.type !== 'ExpressionStatement') return [];
    const call = field(statement, 'expression') as Node;
    const name = calleeName(call);
    if (roleOfName(name) !== role) return [];
    const words = list(call, 'arguments').map((argument) => sourceOf(fn, argument));
    return [{ statement, name, words }];
  });
}
