/**
 * The functions of the explore build and what they call, resolved without running anything: by
 * import, by local name, or, for a method, by its name alone. A call of a value (a parameter, say)
 * is taken to be harmless: color.ts refuses functions as values that touch shared memory.
 */
import type { Call, CallGraph, Escape, Facade, Fn } from './call-types.ts';
import type { Module } from './module-graph.ts';
import { refusal, resolveExport } from './module-graph.ts';
import { collectDataNames, collectMethods, methodKind, patternParts, scopeOf } from './scopes.ts';
import type { Scope } from './scopes.ts';
import type { Node } from './syntax.ts';
import { childrenOf, field, isFunction, list, memberName, passesOn, text } from './syntax.ts';

/** `isPlain`: bundled as they are. */
export function buildCallGraph(
  modules: ReadonlyMap<string, Module>,
  facade: Facade,
  isPlain: (path: string) => boolean,
): CallGraph {
  const builder = new Builder(modules, facade, isPlain);
  for (const module of modules.values()) {
    collectDataNames(module.program, builder.dataNames);
    if (isPlain(module.path)) collectMethods(module.program, builder.plainMethods);
    else builder.addModule(module);
  }
  return builder;
}

class Builder implements CallGraph {
  readonly functions: Fn[] = [];
  readonly escapes: Escape[] = [];
  readonly dataNames: Set<string> = new Set();
  readonly plainMethods: Set<string> = new Set();
  readonly #modules: ReadonlyMap<string, Module>;
  readonly #facade: Facade;
  readonly #isPlain: (path: string) => boolean;
  readonly #byNode = new Map<Node, Fn>();

  constructor(
    modules: ReadonlyMap<string, Module>,
    facade: Facade,
    isPlain: (path: string) => boolean,
  ) {
    this.#modules = modules;
    this.#facade = facade;
    this.#isPlain = isPlain;
  }

  addModule(module: Module): void {
    const top = this.#fnOf(module, module.program, '(module)', 'module', 0);
    this.#visit(module.program, top, [], false);
  }

  #fnOf(module: Module, node: Node, name: string, kind: Fn['kind'], starAt: number): Fn {
    let fn = this.#byNode.get(node);
    if (fn === undefined) {
      fn = { module, node, name, kind, starAt, calls: [], touches: false };
      this.#byNode.set(node, fn);
      this.functions.push(fn);
    }
    return fn;
  }

  #declared(module: Module, node: Node): Fn {
    const name = text(field(node, 'id'), 'name') || '(function)';
    const kind = node.type === 'FunctionDeclaration' ? 'declaration' : 'closure';
    return this.#fnOf(module, node, name, kind, node.start + 'function'.length);
  }

  /** The function that a declaration makes, or null when it declares something else. */
  #fnOfDeclaration(module: Module, node: Node | null | undefined): Fn | null {
    if (node === null || node === undefined) return null;
    const value = node.type === 'VariableDeclarator' ? field(node, 'init') : node;
    return value !== null && isFunction(value) ? this.#declared(module, value) : null;
  }

  #enter(fn: Fn, node: Node, scopes: readonly Scope[]): void {
    if (node['async'] === true || node['generator'] === true) {
      throw refusal(fn.module, node, `${fn.name} is async or a generator; kernel code is neither`);
    }
    const inner = [...scopes, scopeOf(node)];
    for (const parameter of list(node, 'params')) this.#visitPattern(parameter, fn, inner, true);
    const body = field(node, 'body');
    if (body !== null) this.#visit(body, fn, inner, false);
  }

  #visit(node: Node, fn: Fn, scopes: readonly Scope[], inParameters: boolean): void {
    const { module } = fn;
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        return;
      case 'ExportNamedDeclaration':
        return this.#visitChild(node, 'declaration', fn, scopes, inParameters);
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return this.#enter(this.#declared(module, node), node, scopes);
      case 'MethodDefinition':
        return this.#visitMethod(node, fn, scopes);
      case 'PropertyDefinition':
        return this.#visitField(node, fn, scopes);
      case 'Property':
        if (node['method'] === true || node['kind'] !== 'init') {
          return this.#visitMethod(node, fn, scopes);
        }
        return this.#visitChild(node, 'value', fn, scopes, inParameters);
      case 'VariableDeclarator':
        this.#visitPattern(field(node, 'id'), fn, scopes, inParameters);
        return this.#visitChild(node, 'init', fn, scopes, inParameters);
      case 'TryStatement':
        if (!passesOn(node)) throw refusal(fn.module, node, 'TryStatement that does not throw on');
        break;
      case 'CatchClause':
        return this.#visitChild(node, 'body', fn, scopes, inParameters);
      case 'TaggedTemplateExpression':
      case 'ImportExpression':
        throw refusal(fn.module, node, `${node.type} has no place in explored code`);
      case 'MemberExpression':
        this.#visitChild(node, 'object', fn, scopes, inParameters);
        if (node['computed'] === true) {
          this.#visitChild(node, 'property', fn, scopes, inParameters);
        } else this.#noteMember(node, fn, scopes);
        return;
      case 'CallExpression':
        return this.#visitCall(node, fn, scopes, inParameters);
      case 'Identifier':
        return this.#noteReference(node, fn, scopes);
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      default:
    }
    for (const child of childrenOf(node)) this.#visit(child, fn, scopes, inParameters);
  }

  #visitChild(node: Node, name: string, fn: Fn, scopes: readonly Scope[], inParams: boolean): void {
    const child = field(node, name);
    if (child !== null) this.#visit(child, fn, scopes, inParams);
  }

  /** In a pattern only defaults are code; a key may take a method out of its object. */
  #visitPattern(node: Node | null, fn: Fn, scopes: readonly Scope[], inParameters: boolean): void {
    const { keys, defaults } = patternParts(node);
    const { module } = fn;
    for (const key of keys) {
      this.escapes.push({ module, node: key, target: null, name: memberName(key) });
    }
    for (const value of defaults) this.#visit(value, fn, scopes, inParameters);
  }

  #visitMethod(node: Node, fn: Fn, scopes: readonly Scope[]): void {
    const value = field(node, 'value') as Node;
    const key = field(node, 'key') as Node;
    const name = memberName(node);
    const kind = methodKind(node);
    if (name === '' && kind === 'method') {
      throw refusal(fn.module, node, 'a method with a computed name');
    }
    this.#enter(this.#fnOf(fn.module, value, name, kind, key.start), value, scopes);
  }

  /** The initialiser of a field runs in the constructor. */
  #visitField(node: Node, fn: Fn, scopes: readonly Scope[]): void {
    const value = field(node, 'value');
    if (value === null) return;
    const name = memberName(node);
    const initialiser = this.#fnOf(fn.module, node, name, 'constructor', node.start);
    this.#visit(value, initialiser, scopes, false);
  }

  #visitCall(node: Node, fn: Fn, scopes: readonly Scope[], inParameters: boolean): void {
    const callee = field(node, 'callee') as Node;
    if (callee.type === 'MemberExpression') {
      this.#visitChild(callee, 'object', fn, scopes, inParameters);
      if (callee['computed'] === true) {
        this.#visitChild(callee, 'property', fn, scopes, inParameters);
      }
    }
    for (const argument of list(node, 'arguments')) {
      this.#visit(argument, fn, scopes, inParameters);
    }
    const call = this.#resolveCall(node, callee, fn, scopes, inParameters);
    if (call !== null) fn.calls.push(call);
  }

  #resolveCall(
    node: Node,
    callee: Node,
    fn: Fn,
    scopes: readonly Scope[],
    inParameters: boolean,
  ): Call | null {
    const base = { node, inParameters };
    if (callee.type === 'Super') return null;
    if (callee.type === 'Identifier') {
      return this.#callOfName(base, fn, scopes, text(callee, 'name'));
    }
    if (callee.type !== 'MemberExpression' || callee['computed'] === true) {
      return { ...base, kind: 'unresolved', what: 'a computed call' };
    }
    const name = memberName(callee);
    const object = field(callee, 'object') as Node;
    if (object.type === 'Identifier') {
      const objectName = text(object, 'name');
      if (this.#lookUp(scopes, objectName) === undefined) {
        const path = this.#namespaceOf(fn.module, objectName);
        if (path !== null) return this.#callOfExport(base, fn.module, path, name);
        // A global object: Math, Number, Object.
        const { imports, declarations } = fn.module;
        if (!imports.has(objectName) && !declarations.has(objectName)) return null;
      }
    }
    const optional = node['optional'] === true || callee['optional'] === true;
    return { ...base, kind: 'method', name, optional };
  }

  #callOfName(
    base: { readonly node: Node; readonly inParameters: boolean },
    fn: Fn,
    scopes: readonly Scope[],
    name: string,
  ): Call | null {
    const local = this.#lookUp(scopes, name);
    if (local !== undefined) {
      const target = this.#fnOfDeclaration(fn.module, local);
      return target === null ? null : { ...base, kind: 'function', target };
    }
    const imported = fn.module.imports.get(name);
    if (imported !== undefined) {
      return this.#callOfExport(base, fn.module, imported.path, imported.name);
    }
    const target = this.#fnOfDeclaration(fn.module, fn.module.declarations.get(name));
    return target === null ? null : { ...base, kind: 'function', target };
  }

  #callOfExport(
    base: { readonly node: Node; readonly inParameters: boolean },
    caller: Module,
    path: string,
    name: string,
  ): Call | null {
    const target = resolveExport(this.#modules, path, name);
    if (target === null) {
      return { ...base, kind: 'unresolved', what: `${name}, which ${path} does not export` };
    }
    if (target.name === '*') return null;
    if (this.#facade.paths.has(target.module.path)) {
      const { name: access } = target;
      const isStep = this.#facade.steps.has(access) || this.#facade.isStep(access, caller.path);
      return { ...base, kind: isStep ? 'step' : 'plain-access', name: access };
    }
    if (this.#isPlain(target.module.path)) return null;
    const declaration = target.module.declarations.get(target.name);
    const fn = this.#fnOfDeclaration(target.module, declaration);
    return fn === null ? null : { ...base, kind: 'function', target: fn };
  }

  /** The module that a name imported as a namespace stands for, or null. */
  #namespaceOf(module: Module, name: string): string | null {
    const imported = module.imports.get(name);
    if (imported === undefined) return null;
    const target = resolveExport(this.#modules, imported.path, imported.name);
    return target?.name === '*' ? target.module.path : null;
  }

  /** undefined: no scope inside the module binds the name. */
  #lookUp(scopes: readonly Scope[], name: string): Node | null | undefined {
    for (let i = scopes.length - 1; i >= 0; i--) {
      const found = scopes[i]?.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #noteReference(node: Node, fn: Fn, scopes: readonly Scope[]): void {
    const call = this.#callOfName({ node, inParameters: false }, fn, scopes, text(node, 'name'));
    if (call === null) return;
    const target = call.kind === 'function' ? call.target : null;
    if (call.kind === 'function' || call.kind === 'step' || call.kind === 'plain-access') {
      const name = call.kind === 'function' ? '' : call.name;
      this.escapes.push({ module: fn.module, node, target, name });
    }
  }

  #noteMember(node: Node, fn: Fn, scopes: readonly Scope[]): void {
    const object = field(node, 'object') as Node;
    const name = memberName(node);
    let target: Fn | null = null;
    if (object.type === 'Identifier') {
      const path = this.#namespaceOf(fn.module, text(object, 'name'));
      if (path !== null && this.#lookUp(scopes, text(object, 'name')) === undefined) {
        const call = this.#callOfExport({ node, inParameters: false }, fn.module, path, name);
        if (call?.kind === 'function') target = call.target;
      }
    }
    this.escapes.push({ module: fn.module, node, target, name });
  }
}
