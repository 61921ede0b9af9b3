/**
 * The modules of the explore build: found by following imports, stripped of types, parsed, and
 * their imports and exports resolved to the declaration that they mean.
 *
 * Guarantees: every name that a module imports from another is resolved or refused by file:line.
 */
import { parse } from 'acorn';
import type { LineMap } from './line-map.ts';
import { decodeLineMap, originalLine } from './line-map.ts';
import { PACKAGE_ENTRIES, resolveSpecifier } from './specifiers.ts';
import type { Node } from './syntax.ts';
import { boundNames, field, list, text } from './syntax.ts';
import { ExploreBuildError } from './toolchain.ts';
import type { Toolchain } from './toolchain.ts';

/** What an imported name stands for: a declaration of a module, or the whole module ('*'). */
export interface Target {
  readonly module: Module;
  readonly name: string;
}

export interface Module {
  readonly path: string;
  readonly code: string;
  readonly program: Node;
  readonly lines: LineMap;
  /** Local name to what it was imported as; filled when all modules are there. */
  readonly imports: Map<string, { readonly path: string; readonly name: string }>;
  /** Exported name to a local one, or to a name of another module. */
  readonly exports: Map<string, { readonly path: string; readonly name: string }>;
  readonly starExports: string[];
  /** Top-level declarations. */
  readonly declarations: Map<string, Node>;
}

type Compiler = Pick<Toolchain, 'read' | 'compile'>;

/** The last parse of each path, since builds differ in only a module or two. Never modified. */
const parsed = new Map<string, { readonly source: string; readonly module: Promise<Module> }>();

/** All modules that the entries reach, by path. */
export async function loadModules(
  entries: readonly string[],
  compiler: Compiler,
): Promise<Map<string, Module>> {
  const modules = new Map<string, Module>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (modules.has(path)) continue;
    const source = compiler.read(path);
    if (source === null) throw new ExploreBuildError(`${path}: there is no such module`);
    const module = await parseOnce(compiler, path, source);
    modules.set(path, module);
    for (const { path: target } of [...module.imports.values(), ...module.exports.values()]) {
      queue.push(target);
    }
    queue.push(...module.starExports);
  }
  return modules;
}

/** file:line of a node. */
export function placeOf(module: Module, node: Node): string {
  const { line, column } = node.loc.start;
  return `${module.path}:${originalLine(module.lines, line, column)}`;
}

/** The error that the build refuses a node, by file:line. */
export function refusal(module: Module, node: Node, why: string): ExploreBuildError {
  return new ExploreBuildError(`${placeOf(module, node)}: ${why}`);
}

/** The declaration behind an exported name, or null. */
export function resolveExport(
  modules: ReadonlyMap<string, Module>,
  path: string,
  name: string,
): Target | null {
  const module = modules.get(path);
  if (module === undefined) return null;
  if (name === '*') return { module, name };
  const direct = module.exports.get(name);
  if (direct !== undefined) {
    if (direct.path !== path) return resolveExport(modules, direct.path, direct.name);
    const imported = module.imports.get(direct.name);
    if (imported !== undefined) return resolveExport(modules, imported.path, imported.name);
    return { module, name: direct.name };
  }
  for (const star of module.starExports) {
    const found = resolveExport(modules, star, name);
    if (found !== null) return found;
  }
  return null;
}

function parseOnce(compiler: Compiler, path: string, source: string): Promise<Module> {
  const last = parsed.get(path);
  if (last?.source === source) return last.module;
  const module = parseModule(compiler, path, source);
  parsed.set(path, { source, module });
  return module;
}

async function parseModule(compiler: Compiler, path: string, source: string): Promise<Module> {
  const { code, map } = await compiler.compile(path, source);
  const options = { ecmaVersion: 2022, sourceType: 'module', locations: true } as const;
  const program = parse(code, options) as unknown as Node;
  const lines = decodeLineMap(map);
  const module: Module = {
    path,
    code,
    program,
    lines,
    imports: new Map(),
    exports: new Map(),
    starExports: [],
    declarations: new Map(),
  };
  for (const statement of list(program, 'body')) addStatement(module, statement);
  return module;
}

function addStatement(module: Module, statement: Node): void {
  switch (statement.type) {
    case 'ImportDeclaration':
      return addImports(module, statement);
    case 'ExportAllDeclaration':
      return addStar(module, statement);
    case 'ExportNamedDeclaration':
      return addExports(module, statement);
    case 'ExportDefaultDeclaration': {
      const declared = field(statement, 'declaration') as Node;
      const name = text(field(declared, 'id'), 'name') || text(declared, 'name') || 'default';
      if (!module.declarations.has(name)) module.declarations.set(name, declared);
      module.exports.set('default', { path: module.path, name });
      return;
    }
    default:
      addDeclarations(module, statement);
  }
}

/** Enters a declaration's names; returns them. */
function addDeclarations(module: Module, statement: Node): string[] {
  const declarators =
    statement.type === 'VariableDeclaration' ? list(statement, 'declarations') : [statement];
  const names: string[] = [];
  for (const declarator of declarators) {
    for (const name of boundNames(field(declarator, 'id'))) {
      module.declarations.set(name, declarator);
      names.push(name);
    }
  }
  return names;
}

function addImports(module: Module, statement: Node): void {
  const path = importedPath(module, statement);
  for (const specifier of list(statement, 'specifiers')) {
    const local = text(field(specifier, 'local'), 'name');
    let name = text(field(specifier, 'imported'), 'name');
    if (specifier.type === 'ImportNamespaceSpecifier') name = '*';
    if (specifier.type === 'ImportDefaultSpecifier') name = 'default';
    module.imports.set(local, { path, name });
  }
}

function addStar(module: Module, statement: Node): void {
  const path = importedPath(module, statement);
  const exported = text(field(statement, 'exported'), 'name');
  if (exported === '') module.starExports.push(path);
  else module.exports.set(exported, { path, name: '*' });
}

function addExports(module: Module, statement: Node): void {
  const declaration = field(statement, 'declaration');
  if (declaration !== null) {
    for (const name of addDeclarations(module, declaration)) {
      module.exports.set(name, { path: module.path, name });
    }
    return;
  }
  const path = field(statement, 'source') === null ? null : importedPath(module, statement);
  for (const specifier of list(statement, 'specifiers')) {
    const name = text(field(specifier, 'local'), 'name');
    const exported = text(field(specifier, 'exported'), 'name');
    module.exports.set(exported, { path: path ?? module.path, name });
  }
}

/** The path that an import names. Only modules of the kernel, the kit, and the user's own files. */
function importedPath(module: Module, statement: Node): string {
  const specifier = String(field(statement, 'source')?.['value']);
  const path = resolveSpecifier(specifier, module.path);
  if (path !== null) return path;
  const others = Object.keys(PACKAGE_ENTRIES).join(' or ');
  throw refusal(
    module,
    statement,
    `'${specifier}' cannot be part of the explore build; import ${others}, or a file`,
  );
}
