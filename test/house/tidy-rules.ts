/**
 * The house rules that neither the compiler nor the linter knows, as functions from a source file
 * to complaints. tidy.test.ts runs them over the repository; nothing here reads the disk.
 */
import ts from 'typescript';

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const columnsMax = 100;
const fileLinesMax = 300;
const functionLinesMax = 70;
/** How far above an atomic call its ORDER comment may stand. */
const orderCommentReachLines = 8;

/** What each folder may import from; a folder that is missing here may import from all. */
const importableFolders: Readonly<Record<string, readonly string[]>> = {
  shared: ['shared'],
  kernel: ['kernel', 'shared'],
  workers: ['workers', 'kernel', 'shared'],
  programs: ['programs'],
  lab: ['lab', 'workers', 'kernel', 'shared'],
  cli: ['cli', 'lab', 'workers', 'kernel', 'shared'],
  web: ['web', 'shared'],
};

/** The server of the page, which also has to run before anything is built. */
const pageServer = 'scripts/static-server.mjs';

/** What the page reads the machine with; for all else it is a user of the package. */
const pageApi = 'kernel/index.ts';

/** The one file that built-in programs import: they are what users would write. */
const programApi = 'workers/program.ts';

const orderedFunctions = new Set(
  'load store exchange compareExchange add sub and or xor'.split(' '),
);

export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

const parsed = new WeakMap<Source, ts.SourceFile>();

/** Parses a source once: several rules look at each. */
export function parse(source: Source): ts.SourceFile {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ES2022, true);
  parsed.set(source, file);
  return file;
}

function lineOf(file: ts.SourceFile, position: number): number {
  return file.getLineAndCharacterOfPosition(position).line + 1;
}

/** Every node of the file, parents first. */
function nodesOf(file: ts.SourceFile): ts.Node[] {
  const nodes: ts.Node[] = [file];
  for (let next = 0; next < nodes.length; next++) {
    ts.forEachChild(nodes[next]!, (child) => void nodes.push(child));
  }
  return nodes;
}

/** Resolves a relative specifier against the file that contains it. */
export function resolveRelative(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

export function checkCharacters({ path, text }: Source): string[] {
  const complaints: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const place = `${path}:${index + 1}`;
    if (line.includes('\t')) complaints.push(`${place}: tab`);
    if (/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff]/.test(line)) {
      complaints.push(`${place}: control character`);
    }
  }
  return complaints;
}

export function checkColumns({ path, text }: Source): string[] {
  const complaints: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const columns = [...line].length;
    if (columns > columnsMax) complaints.push(`${path}:${index + 1}: ${columns} columns`);
  }
  return complaints;
}

export function checkFileLength({ path, text }: Source): string[] {
  const lines = text.trimEnd().split('\n').length;
  return lines > fileLinesMax ? [`${path}: ${lines} lines`] : [];
}

export function checkFunctionLength(source: Source): string[] {
  const file = parse(source);
  const complaints: string[] = [];
  for (const node of nodesOf(file)) {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) continue;
    const first = lineOf(file, node.getStart(file));
    const lines = lineOf(file, node.end) - first + 1;
    if (lines > functionLinesMax) {
      complaints.push(`${source.path}:${first}: function of ${lines} lines`);
    }
  }
  return complaints;
}

/** The specifiers of all static, dynamic and type imports and re-exports. */
export function importsOf(file: ts.SourceFile): string[] {
  const specifiers: string[] = [];
  for (const node of nodesOf(file)) {
    let target: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) target = node.moduleSpecifier;
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      target = node.argument.literal;
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      target = node.arguments[0];
    }
    if (target !== undefined && ts.isStringLiteralLike(target)) specifiers.push(target.text);
  }
  return specifiers;
}

export function checkImportDirection(source: Source): string[] {
  const folder = folderOf(source.path);
  const importable = importableFolders[folder];
  if (importable === undefined) return [];
  const complaints: string[] = [];
  for (const specifier of importsOf(parse(source))) {
    if (specifier.startsWith('.')) {
      const target = resolveRelative(source.path, specifier);
      if (importable.includes(folderOf(target))) continue;
      if (folder === 'programs' && target === programApi) continue;
      if (folder === 'cli' && target === pageServer) continue;
      if (folder === 'web' && target === pageApi) continue;
    } else if (folder !== 'shared' && folder !== 'kernel' && folder !== 'programs') {
      continue;
    }
    complaints.push(`${source.path}: ${folder}/ must not import ${specifier}`);
  }
  return complaints;
}

/** Local names under which the file imported ordered façade functions. */
function orderedNames(file: ts.SourceFile): { names: Set<string>; namespaces: Set<string> } {
  const names = new Set<string>();
  const namespaces = new Set<string>();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    if (!ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const target = resolveRelative(file.fileName, statement.moduleSpecifier.text);
    const bindings = statement.importClause?.namedBindings;
    if (target !== 'shared/atomics.ts' || bindings === undefined) continue;
    if (ts.isNamespaceImport(bindings)) {
      namespaces.add(bindings.name.text);
      continue;
    }
    for (const element of bindings.elements) {
      const imported = (element.propertyName ?? element.name).text;
      if (orderedFunctions.has(imported)) names.add(element.name.text);
    }
  }
  return { names, namespaces };
}

function isOrderedCall(node: ts.Node, ordered: ReturnType<typeof orderedNames>): boolean {
  if (!ts.isCallExpression(node)) return false;
  const callee = node.expression;
  if (ts.isIdentifier(callee)) return ordered.names.has(callee.text);
  return (
    ts.isPropertyAccessExpression(callee) &&
    ts.isIdentifier(callee.expression) &&
    ordered.namespaces.has(callee.expression.text) &&
    orderedFunctions.has(callee.name.text)
  );
}

export function checkOrderComments(source: Source): string[] {
  const file = parse(source);
  const ordered = orderedNames(file);
  const lines = source.text.split('\n');
  const complaints: string[] = [];
  for (const node of nodesOf(file)) {
    if (!isOrderedCall(node, ordered)) continue;
    const line = lineOf(file, node.getStart(file));
    const reach = lines.slice(Math.max(0, line - 1 - orderCommentReachLines), line);
    if (!reach.some((text) => text.includes('ORDER:'))) {
      complaints.push(`${source.path}:${line}: atomic call without an ORDER: comment`);
    }
  }
  return complaints;
}

/** Literals that mean a page's size or a table's, in any arithmetic. */
const pageLiterals = new Set(['4096', '0xfff']);
/** Those that mean it after this operator only. */
const pageOperands = new Set(['* PAGE_SIZE', '/ PAGE_SIZE', '>>> 12', '& 1023']);

/** Conversions between bytes, pages and entries are named: units.ts and pte.ts have them. */
export function checkConversions(source: Source): string[] {
  const file = parse(source);
  const complaints: string[] = [];
  for (const node of nodesOf(file)) {
    let found = ts.isNumericLiteral(node) && pageLiterals.has(node.getText(file));
    if (ts.isBinaryExpression(node)) {
      const text = `${node.operatorToken.getText(file)} ${node.right.getText(file)}`;
      found = pageOperands.has(text);
    }
    if (found) {
      const line = lineOf(file, node.getStart(file));
      complaints.push(`${source.path}:${line}: a conversion by hand; see shared/units.ts`);
    }
  }
  return complaints;
}

/** Names that stand for a value with a unit wherever the kernel uses them. */
const unitName =
  /^(vpn|pfn|pte|space|proc|pid|object|file|waiter|group|entry|address)$|(Vpn|Pfn|Address)$/;

/** A parameter or field whose name says its unit has that unit as its type. */
export function checkUnitTypes(source: Source): string[] {
  const file = parse(source);
  const complaints: string[] = [];
  for (const node of nodesOf(file)) {
    const isField = ts.isPropertySignature(node) || ts.isPropertyDeclaration(node);
    if (!isField && !ts.isParameter(node)) continue;
    const name = node.name.getText(file);
    if (!unitName.test(name) || node.type?.kind !== ts.SyntaxKind.NumberKeyword) continue;
    const line = lineOf(file, node.getStart(file));
    complaints.push(`${source.path}:${line}: '${name}' has a unit (shared/units.ts)`);
  }
  return complaints;
}

/**
 * Files that nothing leads to from `roots`. Any string that is the relative path of a source, or
 * of the .js file that it becomes, leads there: Workers are named by such strings, not imported.
 */
export function findDeadFiles(sources: readonly Source[], roots: readonly string[]): string[] {
  const files = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const queue = roots.filter((path) => files.has(path));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const node of nodesOf(parse(files.get(path)!))) {
      if (!ts.isStringLiteralLike(node) || !/^\.[\w./-]+\.[jt]s$/.test(node.text)) continue;
      const target = resolveRelative(path, node.text.replace(/\.js$/, '.ts'));
      if (files.has(target)) queue.push(target);
    }
  }
  return sources.map((source) => source.path).filter((path) => !reached.has(path));
}
