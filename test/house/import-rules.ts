/**
 * House rules about what imports what, beyond the top-level folders: the order of the kernel's
 * rooms, and exports that nothing uses. Functions from sources to complaints, like tidy-rules.ts.
 */
import ts from 'typescript';
import { importsOf, parse, resolveRelative } from './tidy-rules.ts';
import type { Source } from './tidy-rules.ts';

/** The kernel's rooms, bottom to top: a room uses itself and those before it. */
export const KERNEL_ROOMS: readonly string[] = [
  'areas',
  'machine',
  'frames',
  'objects',
  'paging',
  'backends',
  'space',
  'locking',
  'faults',
  'mmu',
  'files',
  'reclaim',
  'processes',
  'syscalls',
  'lifecycle',
  'audit',
  'reports',
];

/** Files that stand in no room, above all of them. */
const rootFiles = ['kernel/format.ts', 'kernel/index.ts'];

/** How high a file of kernel/ stands; -1 for a file that has no place there. */
function floorOf(path: string): number {
  const rootFile = rootFiles.indexOf(path);
  return rootFile >= 0 ? KERNEL_ROOMS.length + rootFile : KERNEL_ROOMS.indexOf(roomOf(path));
}

export function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** Imports of values and of types alike. */
export function checkRoomOrder(source: Source): string[] {
  const floor = floorOf(source.path);
  if (floor < 0) return [`${source.path}: stands in no room of kernel/`];
  const complaints: string[] = [];
  for (const specifier of importsOf(parse(source))) {
    const target = resolveRelative(source.path, specifier);
    if (target.startsWith('kernel/') && floorOf(target) > floor) {
      complaints.push(`${source.path}: must not import ${target}, which stands above it`);
    }
  }
  return complaints;
}

/** What the page may do to shared words: it watches the machine, and takes no lock. */
const readingNames = ['load', 'peek'];

/** Whether a file of web/ takes more from the façade of shared memory than reading. */
export function checkPageOnlyReads(source: Source): string[] {
  const complaints: string[] = [];
  for (const node of parse(source).statements) {
    if (!ts.isImportDeclaration(node)) continue;
    if (targetOf(source.path, node.moduleSpecifier) !== 'shared/atomics.ts') continue;
    const bindings = node.importClause?.namedBindings;
    const names =
      bindings !== undefined && ts.isNamedImports(bindings)
        ? bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
        : ['*'];
    for (const name of names.filter((each) => !readingNames.includes(each))) {
      complaints.push(`${source.path}: the page only reads, and must not import ${name}`);
    }
  }
  return complaints;
}

/** What each module's users take from it. */
class Uses {
  readonly #names = new Map<string, Set<string>>();

  add(target: string, name: string): void {
    const names = this.#names.get(target);
    if (names === undefined) this.#names.set(target, new Set([name]));
    else names.add(name);
  }

  has(target: string, name: string): boolean {
    const names = this.#names.get(target);
    return names !== undefined && (names.has(name) || names.has('*'));
  }
}

/** The module that a declaration, import type or import call names, or null when it is not ours. */
function targetOf(from: string, specifier: ts.Node | undefined): string | null {
  if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return null;
  return specifier.text.startsWith('.') ? resolveRelative(from, specifier.text) : null;
}

/** Notes what an import takes by name; a namespace is noted for `collectMember`. */
function collectImport(
  node: ts.ImportDeclaration,
  from: string,
  uses: Uses,
  namespaces: Map<string, string>,
): void {
  const target = targetOf(from, node.moduleSpecifier);
  const clause = node.importClause;
  if (target === null || clause === undefined) return;
  if (clause.name !== undefined) uses.add(target, 'default');
  const bindings = clause.namedBindings;
  if (bindings === undefined) return;
  if (ts.isNamespaceImport(bindings)) {
    namespaces.set(bindings.name.text, target);
    return;
  }
  for (const { name, propertyName } of bindings.elements) {
    uses.add(target, (propertyName ?? name).text);
  }
}

/** `X.name` for a namespace X, as an expression or a type; X by itself uses everything. */
function collectMember(node: ts.Identifier, target: string, uses: Uses): void {
  const { parent } = node;
  if (ts.isNamespaceImport(parent)) return;
  if (ts.isPropertyAccessExpression(parent)) {
    if (parent.expression === node) uses.add(target, parent.name.text);
  } else if (ts.isQualifiedName(parent)) uses.add(target, parent.right.text);
  else uses.add(target, '*');
}

function collectReexport(node: ts.ExportDeclaration, from: string, uses: Uses): void {
  const target = targetOf(from, node.moduleSpecifier);
  if (target === null) return;
  if (node.exportClause === undefined || ts.isNamespaceExport(node.exportClause)) {
    uses.add(target, '*');
  } else {
    for (const { name, propertyName } of node.exportClause.elements) {
      uses.add(target, (propertyName ?? name).text);
    }
  }
}

/** Also the imports of modules written inside a string: tests have such. */
function collectUses(file: ts.SourceFile, uses: Uses): void {
  const namespaces = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) collectImport(node, file.fileName, uses, namespaces);
    else if (ts.isIdentifier(node)) {
      const target = namespaces.get(node.text);
      if (target !== undefined) collectMember(node, target, uses);
    } else if (ts.isExportDeclaration(node)) collectReexport(node, file.fileName, uses);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const target = targetOf(file.fileName, node.argument.literal);
      const name = node.qualifier?.getText(file).split('.')[0] ?? '*';
      if (target !== null) uses.add(target, name);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const target = targetOf(file.fileName, node.arguments[0]);
      if (target !== null) uses.add(target, '*');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  const inner = /import (?:type )?\{([^}]*)\} from '(\.[^']+)'/g;
  for (const [, names = '', specifier = ''] of file.text.matchAll(inner)) {
    for (const name of names.split(',')) {
      const [imported = ''] = name.trim().split(' as ');
      uses.add(resolveRelative(file.fileName, specifier), imported);
    }
  }
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** The names that a file declares and exports; not its default, nor what it only passes on. */
function exportsOf(file: ts.SourceFile): { name: string; isType: boolean }[] {
  return file.statements.filter(isExported).flatMap((statement) => {
    if (ts.isVariableStatement(statement)) {
      const { declarations } = statement.declarationList;
      return declarations.map(({ name }) => ({ name: name.getText(file), isType: false }));
    }
    const { name } = statement as ts.DeclarationStatement;
    if (name === undefined || statement.getText(file).startsWith('export default')) return [];
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
    return [{ name: name.text, isType }];
  });
}

/**
 * Names that a file uses itself in a way that makes them public: types in its text, because they
 * describe what it exports, and, in a program, the names of functions that threads start with.
 */
function namesWithin(file: ts.SourceFile): { types: Set<string>; strings: Set<string> } {
  const types = new Set<string>();
  const strings = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) types.add(node.typeName.getText(file));
    if (ts.isExpressionWithTypeArguments(node)) types.add(node.expression.getText(file));
    if (ts.isStringLiteral(node)) strings.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { types, strings };
}

/** Exports that no other file imports; `published` files are used from outside. */
export function findDeadExports(
  sources: readonly Source[],
  published: readonly string[],
): string[] {
  const uses = new Uses();
  const files = sources.map(parse);
  for (const file of files) collectUses(file, uses);
  const within = new Map(files.map((file) => [file, namesWithin(file)]));
  const threadEntries = new Set([...within.values()].flatMap(({ strings }) => [...strings]));
  return files
    .filter(({ fileName }) => !published.includes(fileName))
    .flatMap((file) => {
      const types = within.get(file)?.types ?? new Set();
      const isProgram = /^export default /m.test(file.text);
      return exportsOf(file)
        .filter(({ name }) => !uses.has(file.fileName, name))
        .filter(({ name, isType }) => !(isType && types.has(name)))
        .filter(({ name }) => !(isProgram && threadEntries.has(name)))
        .map(({ name }) => `${file.fileName}: nobody imports ${name}`);
    });
}
