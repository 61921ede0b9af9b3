/**
 * The module under construction: its functions, globals, imports and messages. A function is
 * compiled when the first call of it is met, so the module contains what its exports reach.
 */
import binaryen from 'binaryen';
import type ts from 'typescript';
import { Constants } from './constants.ts';
import type { FunctionNode, Program } from './program.ts';

/** The type of a value: `never` for what does not return. */
export type ValueType = 'i32' | 'f64' | 'none' | 'never';

/** A parameter of a function: a value, a truth value, or an object that the instance knows. */
export type ParameterType = 'i32' | 'f64' | 'boolean' | { readonly object: string };

/** What a caller of a function must know. */
export interface Signature {
  readonly name: string;
  readonly parameters: readonly ParameterType[];
  readonly result: ValueType;
}

/** The type that binaryen calls so. */
export function binaryType(type: ValueType): binaryen.Type {
  if (type === 'never' || type === 'none') return binaryen.none;
  return type === 'i32' ? binaryen.i32 : binaryen.f64;
}

/** The binaryen types of the parameters that have a value. */
export function binaryTypes(parameters: readonly ParameterType[]): binaryen.Type[] {
  return parameters
    .filter((parameter) => typeof parameter === 'string')
    .map((parameter) => (parameter === 'f64' ? binaryen.f64 : binaryen.i32));
}

/** The module that the compiler fills. */
export class WasmModule {
  readonly program: Program;
  readonly constants: Constants;
  readonly binary: binaryen.Module = new binaryen.Module();
  /** Functions of JavaScript that are imported, in the order of their first call. */
  readonly imports: Map<string, Signature> = new Map();
  /** Members that are imported as globals, `Type.member`. */
  readonly globals: Set<string> = new Set();
  /** Functions that get or set a member, `get Type.member`, and whether it is a boolean. */
  readonly accessors: Map<string, boolean> = new Map();
  /** What panics say, by the number that the code passes. */
  readonly messages: string[] = [];
  /** Functions to compile. */
  readonly pending: { readonly node: FunctionNode; readonly signature: Signature }[] = [];
  readonly #signatures = new Map<ts.Node, Signature>();
  readonly #owned = new Set<string>();
  readonly #helpers = new Set<string>();

  constructor(program: Program) {
    this.program = program;
    this.constants = new Constants(program.target.root);
    const { binary } = this;
    const { MVP, BulkMemory, BulkMemoryOpt, NontrappingFPToInt, ...features } = binaryen.Features;
    const needed = [features['Atomics'], BulkMemory, BulkMemoryOpt, NontrappingFPToInt];
    binary.setFeatures(needed.reduce((all, feature) => all | feature, MVP));
    binary.setMemory(1, 65536, null, [], true);
    binary.addMemoryImport('0', 'machine', 'memory', true);
  }

  /** The signature of a function, which is compiled some time. */
  signatureOf(node: FunctionNode, name: string): Signature {
    let signature = this.#signatures.get(node);
    if (signature === undefined) {
      signature = this.readSignature(node, name);
      this.#signatures.set(node, signature);
      this.pending.push({ node, signature });
    }
    return signature;
  }

  /** The signature of a function that stays JavaScript. */
  importOf(node: FunctionNode, name: string): Signature {
    let signature = this.imports.get(name);
    if (signature === undefined) {
      signature = this.readSignature(node, name);
      this.imports.set(name, signature);
      this.addImport(name, binaryTypes(signature.parameters), binaryType(signature.result));
    }
    return signature;
  }

  readSignature(node: FunctionNode, name: string): Signature {
    const { program } = this;
    const parameters = node.parameters.map((parameter): ParameterType => {
      const type = program.typeName(parameter);
      if (program.isObject(type)) return { object: type };
      if (program.isBoolean(parameter)) return 'boolean';
      return program.numberType(parameter, parameter.type);
    });
    const text = node.type?.getText() ?? 'void';
    if (node.type === undefined && !program.returnsNothing(node)) {
      throw program.refuse(node, `${name} does not say what it returns`);
    }
    if (text === 'void' || text === 'never') {
      return { name, parameters, result: text === 'never' ? 'never' : 'none' };
    }
    const isBoolean = text === 'boolean';
    return { name, parameters, result: isBoolean ? 'i32' : program.numberType(node, node.type) };
  }

  addImport(name: string, parameters: binaryen.Type[], result: binaryen.Type): void {
    this.binary.addFunctionImport(name, 'kernel', name, binaryen.createType(parameters), result);
  }

  /** The value of a member that never changes. */
  global(member: string): number {
    if (!this.globals.has(member)) {
      this.globals.add(member);
      this.binary.addGlobalImport(member, 'machine', member, binaryen.i32);
    }
    return this.binary.global.get(member, binaryen.i32);
  }

  /** A member that only compiled code changes: a global of the instance. */
  own(member: string): string {
    if (!this.#owned.has(member)) {
      this.#owned.add(member);
      this.binary.addGlobal(member, binaryen.i32, true, this.binary.i32.const(0));
    }
    return member;
  }

  /** The function that reads or writes a member of an object of JavaScript. */
  accessor(name: string, isBoolean: boolean): string {
    if (!this.accessors.has(name)) {
      this.accessors.set(name, isBoolean);
      const isGet = name.startsWith('get ');
      const { i32, none } = binaryen;
      this.addImport(name, isGet ? [] : [i32], isGet ? i32 : none);
    }
    return name;
  }

  /** Makes sure that a function of the compiler's own is there. */
  helper(name: string, make: (binary: binaryen.Module) => void): string {
    if (!this.#helpers.has(name)) {
      this.#helpers.add(name);
      make(this.binary);
    }
    return name;
  }

  /** The number of a panic's message. */
  messageNumber(text: string): number {
    const known = this.messages.indexOf(text);
    return known >= 0 ? known : this.messages.push(text) - 1;
  }
}
