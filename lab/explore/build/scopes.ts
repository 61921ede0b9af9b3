/** What a function binds in itself, and which names are methods or data. */
import type { FunctionKind } from './call-types.ts';
import type { Node } from './syntax.ts';
import { boundNames, childrenOf, field, isFunction, list, memberName } from './syntax.ts';

/** Names bound in a function, each with its declaration; null for a parameter. */
export type Scope = ReadonlyMap<string, Node | null>;

export function methodKind(node: Node): FunctionKind {
  if (node['kind'] === 'constructor') return 'constructor';
  return node['kind'] === 'get' || node['kind'] === 'set' ? 'accessor' : 'method';
}

/** Names that a function binds in itself, nested functions left out. */
export function scopeOf(fn: Node): Scope {
  const names = new Map<string, Node | null>();
  for (const parameter of list(fn, 'params')) {
    for (const name of boundNames(parameter)) names.set(name, null);
  }
  const body = field(fn, 'body');
  const queue = body === null ? [] : [body];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    const declares = node.type === 'VariableDeclarator' || /Declaration$/.test(node.type);
    if (node.type === 'CatchClause') {
      for (const name of boundNames(field(node, 'param'))) names.set(name, null);
    }
    if (declares) for (const name of boundNames(field(node, 'id'))) names.set(name, node);
    if (!isFunction(node) && node.type !== 'ClassBody') queue.push(...childrenOf(node));
  }
  return names;
}

export function collectMethods(node: Node, into: Set<string>): void {
  if (node.type === 'MethodDefinition') into.add(memberName(node));
  for (const child of childrenOf(node)) collectMethods(child, into);
}

export function collectDataNames(node: Node, into: Set<string>): void {
  if (node.type === 'PropertyDefinition') into.add(memberName(node));
  if (node.type === 'Property' && node['method'] !== true) {
    const value = field(node, 'value');
    if (value === null || !isFunction(value)) into.add(memberName(node));
  }
  const target = node.type === 'AssignmentExpression' ? field(node, 'left') : null;
  if (target?.type === 'MemberExpression') into.add(memberName(target));
  for (const child of childrenOf(node)) collectDataNames(child, into);
}

/** The properties that a pattern takes out of objects, and the values it falls back to. */
export function patternParts(pattern: Node | null): { keys: Node[]; defaults: Node[] } {
  const keys: Node[] = [];
  const defaults: Node[] = [];
  const queue = pattern === null ? [] : [pattern];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (node.type === 'Property') keys.push(node);
    const value = node.type === 'AssignmentPattern' ? field(node, 'right') : null;
    if (value !== null) defaults.push(value);
    const inner = [field(node, 'left'), field(node, 'argument'), field(node, 'value')];
    if (/Pattern$|^Property$|^RestElement$/.test(node.type)) {
      queue.push(...inner.filter((part) => part !== null));
      queue.push(...list(node, 'properties'), ...list(node, 'elements'));
    }
  }
  return { keys, defaults };
}
