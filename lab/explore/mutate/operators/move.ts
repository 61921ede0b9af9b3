/**
 * Puts a statement before one that must come first: an unlock or a free before the flush, and of
 * two neighbouring accesses the second before the first.
 */
import type { Node } from '../../build/syntax.ts';
import { boundNames, field, list, text } from '../../build/syntax.ts';
import type { Change, OperatorName } from '../change.ts';
import type { KernelFunction } from '../kernel-function.ts';
import { calleeName, nodesOf, sourceOf, statementLists } from '../kernel-function.ts';
import { accessOf, callOf, roleOf } from '../roles.ts';
import type { Role } from '../roles.ts';

const EARLY: Readonly<Partial<Record<Role, OperatorName>>> = {
  unlock: 'early-unlock',
  reference: 'early-free',
};

export function* move(fn: KernelFunction): Iterable<Change> {
  for (const statements of statementLists(fn.body)) {
    for (let to = 0; to < statements.length; to++) {
      const first = statements[to] as Node;
      for (let from = to + 1; from < statements.length; from++) {
        const second = statements[from] as Node;
        const passed = statements.slice(to, from);
        const operator = operatorFor(first, second, from === to + 1);
        if (operator === null || passed.some((one) => !areApart(one, second))) continue;
        // What a loop or a condition leads to must be executed, not only the loop.
        yield { operator, at: callOf(second) ?? second, edits: moved(fn, first, second) };
      }
    }
  }
}

function operatorFor(first: Node, second: Node, areNeighbours: boolean): OperatorName | null {
  if (isFlush(first)) {
    const early = EARLY[roleOf(second) ?? 'lock'];
    if (early !== undefined) return early;
  }
  return areNeighbours && areOrdered(first, second) ? 'swap-accesses' : null;
}

/** A flush, or the end of an operation, in which the flush is. */
function isFlush(statement: Node): boolean {
  if (roleOf(statement) === 'flush') return true;
  return nodesOf(statement).some(({ type, ...node }) => {
    const name = text(field({ type, ...node }, 'callee'), 'name');
    return type === 'CallExpression' && /[fF]lush|^finish|^closeRange$|^shootDown$/.test(name);
  });
}

const SIMPLE = /^(Expression|If|For|ForOf)Statement$|^VariableDeclaration$/;

/** Whether others may see in which order the two come. */
function areOrdered(first: Node, second: Node): boolean {
  if (!SIMPLE.test(first.type) || !SIMPLE.test(second.type)) return false;
  if (leaves(first) || leaves(second)) return false;
  const accesses = [accessOf(first), accessOf(second)];
  const roles = [roleOf(first), roleOf(second)];
  if (roles[0] === null && accesses[0] === null) return false;
  if (roles[1] === null && accesses[1] === null) return false;
  if (roles[0] !== null && roles[0] === roles[1]) return false;
  // Two counters.
  if ([first, second].every((one) => calleeName(callOf(one)) === 'add')) return false;
  return accesses.includes('ordered') || roles.some((role) => role !== null);
}

/** Whether a statement may end the function or a turn of a loop around it. */
function leaves(statement: Node): boolean {
  return nodesOf(statement).some(({ type }) => /^(Return|Break|Continue|Throw)/.test(type));
}

/** Whether neither uses what the other declares or assigns. */
function areApart(first: Node, second: Node): boolean {
  if (leaves(first)) return false;
  const uses = (names: ReadonlySet<string>, by: ReadonlySet<string>): boolean =>
    [...names].some((name) => by.has(name));
  return !uses(namesSet(first), namesUsed(second)) && !uses(namesSet(second), namesUsed(first));
}

function namesSet(statement: Node): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(statement)) {
    const target =
      node.type === 'VariableDeclarator'
        ? field(node, 'id')
        : field(node, node.type === 'UpdateExpression' ? 'argument' : 'left');
    const isSet = /^(VariableDeclarator|AssignmentExpression|UpdateExpression)$/.test(node.type);
    if (isSet) for (const name of boundNames(target)) names.add(name);
  }
  return names;
}

function namesUsed(statement: Node): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(statement)) {
    if (node.type === 'Identifier') names.add(text(node, 'name'));
    for (const part of list(node, 'params')) for (const name of boundNames(part)) names.add(name);
  }
  return names;
}

function moved(fn: KernelFunction, first: Node, second: Node): Change['edits'] {
  return [
    { start: first.start, end: first.start, text: `${sourceOf(fn, second)} ` },
    { start: second.start, end: second.end, text: ';' },
  ];
}
