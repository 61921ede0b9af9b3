/** Leaves out a call: a flush, a rollback, a reference, a wake-up. */
import { field } from '../../build/syntax.ts';
import { replaced } from '../change.ts';
import type { Change, OperatorName } from '../change.ts';
import type { KernelFunction } from '../kernel-function.ts';
import { calleeName, nodesOf } from '../kernel-function.ts';
import { roleOfName } from '../roles.ts';
import type { Role } from '../roles.ts';

const BY_ROLE: Readonly<Partial<Record<Role, OperatorName>>> = {
  flush: 'drop-flush',
  rollback: 'drop-rollback',
  reference: 'drop-reference',
  'wake-up': 'drop-wake-up',
};

export function* dropCall(fn: KernelFunction): Iterable<Change> {
  const whole = new Set<unknown>();
  for (const node of nodesOf(fn.body)) {
    const inner = field(node, node.type === 'ReturnStatement' ? 'argument' : 'expression');
    const operator = BY_ROLE[roleOfName(calleeName(inner)) ?? 'lock'];
    if (inner === null || operator === undefined) continue;
    if (node.type === 'ExpressionStatement') {
      whole.add(inner);
      yield { operator, at: node, edits: [replaced(node, ';')] };
    } else if (node.type === 'ReturnStatement' && operator !== 'drop-reference') {
      whole.add(inner);
      yield { operator, at: node, edits: [replaced(node, 'return;')] };
    }
  }
  // A flush that says whether it was done: it says so without doing it.
  for (const node of nodesOf(fn.body)) {
    if (roleOfName(calleeName(node)) !== 'flush' || whole.has(node)) continue;
    yield { operator: 'drop-flush', at: node, edits: [replaced(node, 'true')] };
  }
}
