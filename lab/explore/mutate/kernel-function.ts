/** The functions of a module of the kernel, as the operators look at them. */
import type { Node } from '../build/syntax.ts';
import { childrenOf, field, isFunction, list, memberName, text } from '../build/syntax.ts';

/** How a function is declared, which decides how a variant of it is written beside it. */
export type Declared = 'function' | 'class method' | 'object method';

export interface KernelFunction {
  /** As in mutants' names: `shootDown`, `rcuProtocol.lockPage`, `RangeOp.rollback`. */
  readonly name: string;
  readonly declared: Declared;
  /** The whole declaration: a variant of it stands after its end. */
  readonly whole: Node;
  /** Name or key; a variant has another one. */
  readonly key: Node;
  readonly body: Node;
  /** Of the module. */
  readonly code: string;
}

/** Functions, methods of classes and of objects, in source order; those inside them left out. */
export function functionsOf(program: Node, code: string): KernelFunction[] {
  const found: KernelFunction[] = [];
  for (const statement of list(program, 'body')) {
    const declaration = /^Export/.test(statement.type)
      ? field(statement, 'declaration')
      : statement;
    if (declaration === null) continue;
    if (declaration.type === 'FunctionDeclaration') {
      const key = field(declaration, 'id');
      if (key !== null)
        add(found, code, 'function', text(key, 'name'), statement, declaration, key);
    } else if (declaration.type === 'ClassDeclaration') {
      addMethods(found, code, declaration);
    } else if (declaration.type === 'VariableDeclaration') {
      for (const declarator of list(declaration, 'declarations')) {
        addProperties(found, code, declarator);
      }
    }
  }
  return found;
}

function addMethods(found: KernelFunction[], code: string, declaration: Node): void {
  const owner = text(field(declaration, 'id'), 'name');
  const body = field(declaration, 'body');
  for (const member of body === null ? [] : list(body, 'body')) {
    const value = field(member, 'value');
    const key = field(member, 'key');
    if (member.type !== 'MethodDefinition' || member['kind'] !== 'method') continue;
    if (value === null || key === null) continue;
    add(found, code, 'class method', `${owner}.${memberName(member)}`, member, value, key);
  }
}

function addProperties(found: KernelFunction[], code: string, declarator: Node): void {
  const owner = text(field(declarator, 'id'), 'name');
  const object = field(declarator, 'init');
  if (object?.type !== 'ObjectExpression') return;
  for (const property of list(object, 'properties')) {
    const value = field(property, 'value');
    const key = field(property, 'key');
    if (property['method'] !== true || value === null || key === null) continue;
    add(found, code, 'object method', `${owner}.${memberName(property)}`, property, value, key);
  }
}

function add(
  found: KernelFunction[],
  code: string,
  declared: Declared,
  name: string,
  whole: Node,
  value: Node,
  key: Node,
): void {
  const body = field(value, 'body');
  if (body !== null) found.push({ name, declared, whole, key, body, code });
}

/** What finds bugs, and makes none when it is changed. */
const ASSERTION = /^(assert|panic$)/;

/** All nodes of a function's body in source order, but for assertions and functions inside it. */
export function nodesOf(root: Node): Node[] {
  if (ASSERTION.test(calleeName(root))) return [];
  const nodes: Node[] = [root];
  for (const child of childrenOf(root)) if (!isFunction(child)) nodes.push(...nodesOf(child));
  return nodes;
}

/** The lists of statements in a function. */
export function statementLists(body: Node): Node[][] {
  return nodesOf(body).flatMap((node) => {
    if (node.type === 'BlockStatement') return [list(node, 'body')];
    return node.type === 'SwitchCase' ? [list(node, 'consequent')] : [];
  });
}

/** The name of what a call calls: of a function, or of a method whatever its object; or ''. */
export function calleeName(node: Node | null): string {
  const callee = node?.type === 'CallExpression' ? field(node, 'callee') : null;
  if (callee?.type === 'Identifier') return text(callee, 'name');
  return callee?.type === 'MemberExpression' ? memberName(callee) : '';
}

/** The source text of a node. */
export function sourceOf({ code }: KernelFunction, node: Node): string {
  return code.slice(node.start, node.end);
}
