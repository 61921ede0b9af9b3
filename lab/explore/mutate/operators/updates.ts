/**
 * Read-modify-writes: made of a load and a store, between which others come; and compare-exchanges
 * that store whatever they find, or whose failure is not noticed.
 */
import type { Node } from '../../build/syntax.ts';
import { list } from '../../build/syntax.ts';
import { replaced } from '../change.ts';
import type { Change } from '../change.ts';
import { calleeName, nodesOf, sourceOf } from '../kernel-function.ts';
import type { KernelFunction } from '../kernel-function.ts';
import { isUpdate } from '../roles.ts';

/** A name for the value before; declared in each variant of a function. */
const BEFORE = '$before';

export function* weakenUpdates(fn: KernelFunction): Iterable<Change> {
  const alone = new Set<unknown>();
  for (const node of nodesOf(fn.body)) {
    if (node.type === 'ExpressionStatement') alone.add(node['expression']);
    if (!isUpdate(node)) continue;
    const words = list(node, 'arguments').map((argument) => sourceOf(fn, argument));
    yield { operator: 'split-update', at: node, edits: [replaced(node, split(node, words))] };
    const [memory, at, expected, next] = words;
    if (calleeName(node) !== 'compareExchange' || next === undefined) continue;
    const stores = `($store(${memory}, ${at}, ${next}), ${expected})`;
    yield { operator: 'weaken-exchange', at: node, edits: [replaced(node, stores)] };
    if (alone.has(node)) continue;
    const ignores = `(${sourceOf(fn, node)}, ${expected})`;
    yield { operator: 'weaken-exchange', at: node, edits: [replaced(node, ignores)] };
  }
}

function split(node: Node, [memory, at, operand, next]: readonly string[]): string {
  const load = `${BEFORE} = $load(${memory}, ${at})`;
  const store = (value: string): string => `$store(${memory}, ${at}, ${value})`;
  switch (calleeName(node)) {
    case 'compareExchange':
      return `(${load}, ${BEFORE} === (${operand}) ? ${store(next ?? '')} : 0, ${BEFORE})`;
    case 'exchange':
      return `(${load}, ${store(operand ?? '')}, ${BEFORE})`;
    default: {
      const sign = { add: '+', or: '|', and: '&' }[calleeName(node)];
      return `(${load}, ${store(`(${BEFORE} ${sign} (${operand})) | 0`)}, ${BEFORE})`;
    }
  }
}
