/**
 * What the package's entry points export, as the compiler sees it: every symbol and every public
 * member, with its doc comment and the types that it mentions. The comment of a function or member
 * also describes the types written in place there.
 */
import ts from 'typescript';

/** A thing that users can name: an export, or a public member of one. */
export interface PublicSymbol {
  /** As `faultline/kernel: MemorySet.find`. */
  readonly name: string;
  /** As `kernel/areas/memory-set.ts:130`. */
  readonly place: string;
  /** Its doc comment, '' if there is none. A member inherits that of what it implements. */
  readonly comment: string;
  /** Types of this repository in its declaration that users of the same entry cannot name. */
  readonly unnamed: readonly string[];
}

/** A place that no two declarations share. */
type Seen = Set<ts.Declaration>;

/** Everything public in the entry points, each declaration once, under its first name. */
export function publicApi(
  root: string,
  entries: Readonly<Record<string, string>>,
  options: ts.CompilerOptions,
  host?: ts.CompilerHost,
): PublicSymbol[] {
  const files = Object.values(entries).map((path) => `${root}${path}`);
  const program = ts.createProgram(files, options, host);
  const checker = program.getTypeChecker();
  const seen: Seen = new Set();
  return Object.entries(entries).flatMap(([entry, path]) => {
    const file = program.getSourceFile(`${root}${path}`);
    const module = file && checker.getSymbolAtLocation(file);
    // An entry that is run and not imported exports nothing.
    return module === undefined ? [] : new Reader(root, checker, seen, module).read(entry, module);
  });
}

class Reader {
  readonly #root: string;
  readonly #checker: ts.TypeChecker;
  readonly #seen: Seen;
  /** What the entry exports, through all its aliases. */
  readonly #named: Set<ts.Symbol>;
  readonly #found: PublicSymbol[] = [];

  constructor(root: string, checker: ts.TypeChecker, seen: Seen, module: ts.Symbol) {
    this.#root = root;
    this.#checker = checker;
    this.#seen = seen;
    this.#named = new Set(this.#exportsOf(module));
  }

  read(entry: string, module: ts.Symbol): PublicSymbol[] {
    for (const symbol of this.#checker.getExportsOfModule(module)) {
      this.#visit(`${entry}: ${symbol.name}`, this.#target(symbol));
    }
    return this.#found;
  }

  #target(symbol: ts.Symbol): ts.Symbol {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    return isAlias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  #exportsOf(module: ts.Symbol): ts.Symbol[] {
    return this.#checker.getExportsOfModule(module).flatMap((symbol) => {
      const target = this.#target(symbol);
      const isModule = (target.flags & ts.SymbolFlags.ValueModule) !== 0;
      return isModule ? this.#exportsOf(target) : [target];
    });
  }

  #visit(name: string, symbol: ts.Symbol): void {
    const declaration = symbol.declarations?.[0];
    if (declaration === undefined || this.#seen.has(declaration)) return;
    if (!declaration.getSourceFile().fileName.startsWith(this.#root)) return;
    if (declaration.getSourceFile().fileName.includes('/node_modules/')) return;
    this.#seen.add(declaration);
    if (ts.isSourceFile(declaration)) {
      for (const inner of this.#checker.getExportsOfModule(symbol)) {
        this.#visit(`${name}.${inner.name}`, this.#target(inner));
      }
      return;
    }
    this.#add(name, symbol, declaration);
    if (isMember(declaration) || ts.isFunctionLike(declaration)) return;
    for (const type of symbol.declarations ?? []) this.#visitMembers(name, type);
    if ((symbol.flags & ts.SymbolFlags.Interface) === 0) return;
    // Those that an interface gets by inheritance from a type without a name.
    for (const member of this.#checker.getDeclaredTypeOfSymbol(symbol).getProperties()) {
      this.#visit(`${name}.${member.name}`, member);
    }
  }

  #visitMembers(name: string, parent: ts.Node): void {
    ts.forEachChild(parent, (node) => {
      if (ts.isBlock(node) || ts.isExpression(node)) return;
      if (!isMember(node)) return void this.#visitMembers(name, node);
      if (isHidden(node)) return;
      const symbol = this.#checker.getSymbolAtLocation(node.name);
      if (symbol !== undefined) this.#visit(`${name}.${symbol.name}`, symbol);
    });
  }

  #add(name: string, symbol: ts.Symbol, declaration: ts.Declaration): void {
    const file = declaration.getSourceFile();
    const { line } = file.getLineAndCharacterOfPosition(declaration.getStart());
    const place = `${file.fileName.slice(this.#root.length)}:${line + 1}`;
    const comment = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker));
    const unnamed = new Set((symbol.declarations ?? []).flatMap((at) => this.#unnamedIn(at)));
    this.#found.push({ name, place, comment, unnamed: [...unnamed] });
  }

  /** Types in a declaration's signature that its users cannot name; bodies are not looked at. */
  #unnamedIn(node: ts.Node): string[] {
    if (ts.isBlock(node) || ts.isExpression(node) || (isMember(node) && isHidden(node))) return [];
    const names: string[] = [];
    if (ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName)) {
      const symbol = this.#checker.getSymbolAtLocation(node.typeName);
      if (symbol !== undefined && !this.#canBeNamed(this.#target(symbol))) {
        names.push(node.typeName.text);
      }
    }
    ts.forEachChild(node, (child) => void names.push(...this.#unnamedIn(child)));
    return names;
  }

  #canBeNamed(symbol: ts.Symbol): boolean {
    if (this.#named.has(symbol)) return true;
    const declaration = symbol.declarations?.[0];
    if (declaration === undefined || ts.isTypeParameterDeclaration(declaration)) return true;
    const { fileName } = declaration.getSourceFile();
    return !fileName.startsWith(this.#root) || fileName.includes('/node_modules/');
  }
}

type Member = ts.NamedDeclaration & { readonly name: ts.PropertyName };

function isMember(node: ts.Node): node is Member {
  return (
    ts.isPropertySignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isMethodSignature(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isAccessor(node)
  );
}

function isHidden(node: Member): boolean {
  if (ts.isPrivateIdentifier(node.name)) return true;
  const flags = ts.getCombinedModifierFlags(node);
  return (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
}
