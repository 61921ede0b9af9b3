/** From TypeScript to a WebAssembly module, and to the JavaScript that instantiates it. */
import binaryen from 'binaryen';
import ts from 'typescript';
import { Program } from './program.ts';
import { compileFunction } from './statements.ts';
import type { Target } from './target.ts';
import type { Signature } from './wasm-module.ts';
import { WasmModule } from './wasm-module.ts';

/** A compiled module, and what its instances need. */
export interface Compiled {
  readonly bytes: Uint8Array;
  /** The functions that it exports. */
  readonly exports: readonly Signature[];
  /** The functions of JavaScript that it calls. */
  readonly imports: readonly Signature[];
  /** Members that never change, `Type.member`. */
  readonly globals: readonly string[];
  /** Members that JavaScript keeps, `get Type.member`, and whether each is a boolean. */
  readonly accessors: ReadonlyMap<string, boolean>;
  /** What panics say. */
  readonly messages: readonly string[];
}

/**
 * Compiles what `target` names and all that it calls. Throws a Refusal for a construct outside the
 * subset.
 */
export function compile(target: Target): Compiled {
  return compileRoots(new Program(target), target.roots);
}

/** The same for some roots of a program that has been read. */
export function compileRoots(program: Program, roots: readonly string[]): Compiled {
  const module = new WasmModule(program);
  const exports = roots.map((name) => {
    const node = program.find(name);
    if (!ts.isFunctionDeclaration(node)) throw program.refuse(node, `${name} is no function`);
    const signature = module.signatureOf(node, name);
    module.binary.addFunctionExport(signature.name, node.name?.text ?? name);
    return signature;
  });
  for (let next = module.pending.pop(); next !== undefined; next = module.pending.pop()) {
    compileFunction(module, next.node, next.signature);
  }
  if (module.binary.validate() === 0) throw new Error('the compiled module is not valid');
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  module.binary.optimize();
  const bytes = module.binary.emitBinary();
  module.binary.dispose();
  const { imports, globals, accessors, messages } = module;
  return {
    ...{ bytes, exports, messages },
    imports: [...imports.values()],
    globals: [...globals],
    accessors,
  };
}
