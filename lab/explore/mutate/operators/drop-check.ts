/**
 * Takes a look at shared memory out of a decision: a condition, or the part of it that looks, is
 * what it would be if nothing had changed.
 */
import type { Node } from '../../build/syntax.ts';
import { boundNames, field, text } from '../../build/syntax.ts';
import { replaced } from '../change.ts';
import type { Change } from '../change.ts';
import { calleeName, nodesOf } from '../kernel-function.ts';
import type { KernelFunction } from '../kernel-function.ts';
import { readsShared } from '../roles.ts';

export function* dropCheck(fn: KernelFunction): Iterable<Change> {
  const known = valuesRead(fn);
  for (const node of nodesOf(fn.body)) {
    if (node.type !== 'IfStatement' && node.type !== 'WhileStatement') continue;
    const test = field(node, 'test') as Node;
    if (readsShared(test, known) && !isAssertion(node)) {
      yield { operator: 'drop-check', at: node, edits: [replaced(test, 'false')] };
      if (field(node, 'alternate') !== null) {
        yield { operator: 'drop-check', at: node, edits: [replaced(test, 'true')] };
      }
    }
    for (const part of partsOf(test)) {
      if (!readsShared(part.node, known) || isAssertion(node)) continue;
      const neutral = part.operator === '&&' ? 'true' : 'false';
      yield { operator: 'drop-check', at: node, edits: [replaced(part.node, neutral)] };
    }
  }
}

/** The operands of `a && b` and `a || b`. */
function partsOf(test: Node): { node: Node; operator: string }[] {
  if (test.type !== 'LogicalExpression') return [];
  const operator = text(test, 'operator');
  return ['left', 'right'].flatMap((side) => {
    const node = field(test, side) as Node;
    const inner = node.type === 'LogicalExpression' && text(node, 'operator') === operator;
    return inner ? partsOf(node) : [{ node, operator }];
  });
}

/** `if (broken) panic(…)` finds bugs, and makes none by its absence. */
function isAssertion(node: Node): boolean {
  if (node.type !== 'IfStatement') return false;
  let then = field(node, 'consequent');
  if (then?.type === 'BlockStatement') {
    const body = then['body'] as readonly Node[];
    then = body.length === 1 ? (body[0] as Node) : null;
  }
  return ['panic', 'assert'].includes(calleeName(field(then ?? node, 'expression')));
}

/** Names of the function that hold what was read from shared memory. */
function valuesRead(fn: KernelFunction): Set<string> {
  const known = new Set<string>();
  for (const node of nodesOf(fn.body)) {
    const isDeclared = node.type === 'VariableDeclarator';
    if (!isDeclared && node.type !== 'AssignmentExpression') continue;
    const value = field(node, isDeclared ? 'init' : 'right');
    if (value === null || !readsShared(value, known)) continue;
    for (const name of boundNames(field(node, isDeclared ? 'id' : 'left'))) known.add(name);
  }
  return known;
}
