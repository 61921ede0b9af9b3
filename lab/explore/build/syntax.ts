/** What the explore build needs of a syntax tree: ESTree nodes, untyped, and a walk over them. */

/** An ESTree node as acorn makes it. Fields are looked up by name: the walk is generic. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };
  readonly [field: string]: unknown;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

export function isFunction(node: Node): boolean {
  return FUNCTIONS.has(node.type);
}

export function field(node: Node, name: string): Node | null {
  const value = node[name];
  return isNode(value) ? value : null;
}

/** A field that holds a list; holes and absent lists are left out. */
export function list(node: Node, name: string): Node[] {
  const value = node[name];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function text(node: Node | null, name: string): string {
  const value = node?.[name];
  return typeof value === 'string' ? value : '';
}

/** The direct children of a node, in source order. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const [name, value] of Object.entries(node)) {
    if (name === 'loc') continue;
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) children.push(...value.filter(isNode));
  }
  return children;
}

/** The name of a member, property or method when it is written out; '' when it is computed. */
export function memberName(node: Node): string {
  if (node['computed'] === true) return '';
  const key = field(node, node.type === 'MemberExpression' ? 'property' : 'key');
  return key?.type === 'Literal' ? String(key['value']) : text(key, 'name');
}

/** Names that a pattern binds. */
export function boundNames(pattern: Node | null): string[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [text(pattern, 'name')];
    case 'ObjectPattern':
      return list(pattern, 'properties').flatMap((property) =>
        boundNames(field(property, property.type === 'RestElement' ? 'argument' : 'value')),
      );
    case 'ArrayPattern':
      return list(pattern, 'elements').flatMap(boundNames);
    case 'AssignmentPattern':
      return boundNames(field(pattern, 'left'));
    case 'RestElement':
      return boundNames(field(pattern, 'argument'));
    default:
      return [];
  }
}

/** Whether a try only undoes something and throws on: it has a catch that ends so, and no more. */
export function passesOn(node: Node): boolean {
  const handler = field(node, 'handler');
  const body = handler === null ? null : field(handler, 'body');
  const last = body === null ? undefined : list(body, 'body').at(-1);
  const thrown = last?.type === 'ThrowStatement' ? field(last, 'argument') : null;
  const [caught] = handler === null ? [] : boundNames(field(handler, 'param'));
  return field(node, 'finalizer') === null && thrown !== null && text(thrown, 'name') === caught;
}
