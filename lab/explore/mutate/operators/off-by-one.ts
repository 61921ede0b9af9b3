/** Ranges that end one too early or too late. */
import { field, list, memberName, text } from '../../build/syntax.ts';
import type { Node } from '../../build/syntax.ts';
import { replaced } from '../change.ts';
import type { Change } from '../change.ts';
import { calleeName, nodesOf, sourceOf } from '../kernel-function.ts';
import type { KernelFunction } from '../kernel-function.ts';

const OTHER: Readonly<Record<string, string>> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };

/** What counts pages, words, blocks, or says where a range begins or ends. */
const RANGE =
  /(start|end|first|last|vpns?|pages?|limit|count|length|size|level|generation|behind)$/i;

const TAKES_RANGE = /[fF]lush|^shootDown$|[rR]ange|^(un)?lock|^note|^settle|^prune|^split/;

export function* offByOne(fn: KernelFunction): Iterable<Change> {
  for (const node of nodesOf(fn.body)) {
    const other = node.type === 'BinaryExpression' ? OTHER[text(node, 'operator')] : undefined;
    if (other !== undefined) {
      const [left, right] = [field(node, 'left') as Node, field(node, 'right') as Node];
      if (!isOfRange(left) && !isOfRange(right)) continue;
      const changed = `${sourceOf(fn, left)} ${other} ${sourceOf(fn, right)}`;
      yield { operator: 'off-by-one', at: node, edits: [replaced(node, changed)] };
    }
    if (!TAKES_RANGE.test(calleeName(node))) continue;
    for (const argument of list(node, 'arguments')) {
      if (!/^(end\w*|pages)$/i.test(nameOf(argument))) continue;
      const shorter = `${sourceOf(fn, argument)} - 1`;
      yield { operator: 'off-by-one', at: node, edits: [replaced(argument, shorter)] };
    }
  }
}

/** Whether a name in the expression, or a sum of such, is that of a range's part. */
function isOfRange(node: Node): boolean {
  if (node.type === 'BinaryExpression') {
    return isOfRange(field(node, 'left') as Node) || isOfRange(field(node, 'right') as Node);
  }
  return RANGE.test(nameOf(node));
}

function nameOf(node: Node): string {
  return node.type === 'MemberExpression' ? memberName(node) : text(node, 'name');
}
