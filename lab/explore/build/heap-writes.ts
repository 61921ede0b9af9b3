/**
 * Where explored code changes JavaScript objects, for the identity of states (runtime/heap.ts):
 * assignments to members, and calls of the methods that change arrays, maps and sets. Each is
 * wrapped in a call that notes which object became what; where the text does not tell which, that
 * anything may have changed.
 */
import type { Scope } from './scopes.ts';
import { scopeOf } from './scopes.ts';
import type { Wrap } from './transform.ts';
import type { Node } from './syntax.ts';
import { childrenOf, field, isFunction, memberName, text } from './syntax.ts';

const ARRAY_CHANGERS = new Set(['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse']);
const OTHER_CHANGERS = new Set(['fill', 'copyWithin', 'set', 'add', 'delete', 'clear', 'next']);

/** Where a node stands. */
interface Place {
  /** Variables of the innermost function; null at the top of a module, which runs once. */
  readonly own: Scope | null;
  readonly isConstructor: boolean;
  readonly inArguments: boolean;
}

/** The wraps of a module's code. */
export function heapWrites(program: Node, code: string): Wrap[] {
  const wraps: Wrap[] = [];
  const visit = (node: Node, place: Place): void => {
    const wrap = place.own === null ? null : wrapOf(node, code, place);
    if (wrap !== null) wraps.push(wrap);
    const isMethod = node.type === 'MethodDefinition';
    const isConstructor = isMethod ? node['kind'] === 'constructor' : place.isConstructor;
    const own = isFunction(node) ? scopeOf(node) : place.own;
    for (const child of childrenOf(node)) {
      const isArgument = node.type === 'CallExpression' && child !== node['callee'];
      const inArguments = !isFunction(node) && (place.inArguments || isArgument);
      visit(child, { own, isConstructor, inArguments });
    }
  };
  visit(program, { own: null, isConstructor: false, inArguments: false });
  return wraps;
}

function wrapOf(node: Node, code: string, { own, isConstructor, inArguments }: Place): Wrap | null {
  switch (node.type) {
    case 'AssignmentExpression':
    case 'UpdateExpression': {
      const target = field(node, node.type === 'UpdateExpression' ? 'argument' : 'left') as Node;
      if (target.type === 'Identifier') {
        // Another function's variable, or one that outlives the call in whose arguments this is.
        return inArguments || own?.has(text(target, 'name')) !== true ? unknown(node) : null;
      }
      if (target.type !== 'MemberExpression') return unknown(node);
      const base = field(target, 'object') as Node;
      // What a constructor makes is known by how it came to be.
      if (isConstructor && base.type === 'ThisExpression') return null;
      return wrapOfMember(node, target, base, code);
    }
    case 'UnaryExpression':
      return node['operator'] === 'delete' ? unknown(node) : null;
    case 'CallExpression':
      return wrapOfCall(node, code);
    default:
      return null;
  }
}

function wrapOfMember(node: Node, target: Node, base: Node, code: string): Wrap {
  const key = field(target, 'property') as Node;
  const isComputed = target['computed'] === true;
  if (!isPlainPath(base) || (isComputed && !isPlainPath(key))) return unknown(node);
  const keyText = isComputed ? code.slice(key.start, key.end) : `'${text(key, 'name')}'`;
  return { node, before: '$wrote(', after: `, ${code.slice(base.start, base.end)}, ${keyText})` };
}

function wrapOfCall(node: Node, code: string): Wrap | null {
  const callee = field(node, 'callee') as Node;
  if (callee.type !== 'MemberExpression') return null;
  const name = memberName(callee);
  const base = field(callee, 'object') as Node;
  if (ARRAY_CHANGERS.has(name) && isPlainPath(base)) {
    return { node, before: '$changed(', after: `, ${code.slice(base.start, base.end)})` };
  }
  return ARRAY_CHANGERS.has(name) || OTHER_CHANGERS.has(name) ? unknown(node) : null;
}

function unknown(node: Node): Wrap {
  return { node, before: '$somethingChanged(', after: ')' };
}

/** Whether evaluating the expression again gives the same, and does nothing else. */
function isPlainPath(node: Node): boolean {
  switch (node.type) {
    case 'Identifier':
    case 'ThisExpression':
    case 'Literal':
      return true;
    case 'MemberExpression': {
      if (node['optional'] === true || field(node, 'property')?.type === 'PrivateIdentifier') {
        return field(node, 'object')?.type === 'ThisExpression';
      }
      const isKnown = node['computed'] !== true || isPlainPath(field(node, 'property') as Node);
      return isKnown && isPlainPath(field(node, 'object') as Node);
    }
    case 'BinaryExpression':
      return [field(node, 'left'), field(node, 'right')].every(
        (part) => part !== null && isPlainPath(part),
      );
    default:
      return false;
  }
}
