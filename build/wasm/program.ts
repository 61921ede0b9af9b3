/** The TypeScript program: declarations, what names refer to, and what values constants have. */
import { join, relative } from 'node:path';
import ts from 'typescript';
import { refusal } from './refusal.ts';
import type { Target } from './target.ts';

/** Units whose numbers do not fit 32 bits. */
const WIDE_UNITS: ReadonlySet<string> = new Set(['VirtAddr', 'PhysAddr']);

const TYPED_ARRAYS: ReadonlySet<string> = new Set(['Int32Array', 'Float64Array', 'Uint8Array']);

/** A function that can be compiled. */
export type FunctionNode = ts.FunctionDeclaration | ts.MethodDeclaration | ts.AccessorDeclaration;

/** The kernel's sources with their types. */
export class Program {
  readonly checker: ts.TypeChecker;
  readonly target: Target;
  readonly #program: ts.Program;

  constructor(target: Target) {
    this.target = target;
    const names = [...target.roots, ...target.imports, ...target.dispatch.objects];
    const files = new Set([...names.map((name) => fileOf(name)), target.facade]);
    this.#program = ts.createProgram(
      [...files].map((file) => join(target.root, file)),
      {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        lib: ['lib.es2023.d.ts', 'lib.es2024.sharedmemory.d.ts'],
        types: [],
        strict: true,
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: true,
      },
    );
    this.checker = this.#program.getTypeChecker();
  }

  /** `file#name` of a declaration at the top of a module. */
  nameOf(node: ts.Declaration & { readonly name?: ts.Node | undefined }): string {
    return `${this.pathOf(node)}#${node.name?.getText() ?? ''}`;
  }

  /** The file of a node, relative to the root. */
  pathOf(node: ts.Node): string {
    return relative(this.target.root, node.getSourceFile().fileName).replaceAll('\\', '/');
  }

  /** The declaration with the name `file#name`. */
  find(name: string): ts.Declaration {
    const file = this.#program.getSourceFile(join(this.target.root, fileOf(name)));
    const wanted = name.slice(name.indexOf('#') + 1);
    for (const statement of file?.statements ?? []) {
      const declarations = ts.isVariableStatement(statement)
        ? statement.declarationList.declarations
        : ts.isFunctionDeclaration(statement)
          ? [statement]
          : [];
      const found = declarations.find((declaration) => declaration.name?.getText() === wanted);
      if (found !== undefined) return found;
    }
    throw new Error(`${name}: there is no such declaration`);
  }

  /** What a name refers to, through imports. */
  declarationOf(name: ts.Node): ts.Declaration | undefined {
    let symbol = this.checker.getSymbolAtLocation(name);
    if (symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0) {
      symbol = this.checker.getAliasedSymbol(symbol);
    }
    return symbol?.valueDeclaration ?? symbol?.declarations?.[0];
  }

  /** The name of the type of an expression or parameter: an interface, a class, or ''. */
  typeName(node: ts.Node): string {
    return this.nameOfType(this.checker.getTypeAtLocation(node));
  }

  /** The name of a type: an interface, a class, or ''. */
  nameOfType(type: ts.Type): string {
    return this.checker.getNonNullableType(type).symbol?.name ?? '';
  }

  /** Whether an instance knows one object of a type. */
  isObject(type: string): boolean {
    return this.target.objects.includes(type) || TYPED_ARRAYS.has(type);
  }

  /** f64 for addresses in bytes, i32 for any other number. */
  numberType(node: ts.Node, declared: ts.TypeNode | undefined): 'i32' | 'f64' {
    const type = this.checker.getTypeAtLocation(declared ?? node);
    if ((type.flags & ts.TypeFlags.NumberLike) === 0 && !this.isUnit(type)) {
      throw this.refuse(node, `of type ${this.checker.typeToString(type)}: not a number`);
    }
    return WIDE_UNITS.has(declared?.getText() ?? '') ? 'f64' : 'i32';
  }

  /** Whether a function returns no value, as its body says. */
  returnsNothing(node: FunctionNode): boolean {
    const signature = this.checker.getSignatureFromDeclaration(node);
    if (signature === undefined || ts.isSetAccessor(node)) return true;
    return (this.checker.getReturnTypeOfSignature(signature).flags & ts.TypeFlags.Void) !== 0;
  }

  /** Whether a type is a number with a brand (shared/units.ts), or such a number or undefined. */
  isUnit(type: ts.Type): boolean {
    if (!type.isUnionOrIntersection()) return (type.flags & ts.TypeFlags.NumberLike) !== 0;
    return type.types.some((part) => this.isUnit(part));
  }

  /** Whether an expression is true or false. */
  isBoolean(node: ts.Node): boolean {
    return (this.checker.getTypeAtLocation(node).flags & ts.TypeFlags.BooleanLike) !== 0;
  }

  refuse(node: ts.Node, what: string): Error {
    return refusal(this.target.root, node, what);
  }
}

function fileOf(name: string): string {
  return name.slice(0, name.indexOf('#'));
}
