/** What is known while a function is compiled: its variables, and where `break` goes. */
import binaryen from 'binaryen';
import ts from 'typescript';
import type { Program } from './program.ts';
import type { ValueType, WasmModule } from './wasm-module.ts';

/** An expression that has a value at run time. */
export interface Value {
  readonly code: binaryen.ExpressionRef;
  readonly type: ValueType;
}

/** An expression that stands for an object of the instance: there is nothing to compute. */
export interface Known {
  /** The name of its type. */
  readonly object: string;
  /** The member it was read from, `Type.member`, or '' for a parameter. */
  readonly member: string;
}

export type Operand = Value | Known;

/** What a variable is: a local of the function, or a name of a known object. */
export type Variable = { readonly index: number; readonly type: 'i32' | 'f64' } | Known;

/** A function that is being compiled. */
export class FunctionState {
  readonly module: WasmModule;
  readonly program: Program;
  readonly binary: binaryen.Module;
  /** Types of the locals beyond the parameters. */
  readonly locals: binaryen.Type[] = [];
  /** Labels of the loops and switches that surround the statement, innermost last. */
  readonly targets: { readonly break: string; readonly continue: string | null }[] = [];
  readonly #variables = new Map<ts.Symbol, Variable>();
  #parameters = 0;
  #labels = 0;

  constructor(module: WasmModule) {
    this.module = module;
    this.program = module.program;
    this.binary = module.binary;
  }

  /** A new label, unique in the function. */
  label(purpose: string): string {
    this.#labels++;
    return `${purpose}${this.#labels}`;
  }

  /** The next parameter, under its name. */
  addParameter(name: ts.Node, type: 'i32' | 'f64'): number {
    const index = this.#parameters;
    this.#parameters++;
    this.bind(name, { index, type });
    return index;
  }

  /** A new local variable. */
  addLocal(type: 'i32' | 'f64'): number {
    this.locals.push(type === 'f64' ? binaryen.f64 : binaryen.i32);
    return this.#parameters + this.locals.length - 1;
  }

  /** From now on the name means this. */
  bind(name: ts.Node, variable: Variable): void {
    const symbol = this.program.checker.getSymbolAtLocation(name);
    if (symbol === undefined) throw this.program.refuse(name, 'a pattern in place of a name');
    this.#variables.set(symbol, variable);
  }

  /** The variable that an identifier names, or undefined if it is not one of this function. */
  variable(name: ts.Node): Variable | undefined {
    let symbol = this.program.checker.getSymbolAtLocation(name);
    if (symbol !== undefined && ts.isShorthandPropertyAssignment(name.parent)) {
      symbol = this.program.checker.getShorthandAssignmentValueSymbol(name.parent);
    }
    return symbol === undefined ? undefined : this.#variables.get(symbol);
  }

  refuse(node: ts.Node, what: string): Error {
    return this.program.refuse(node, what);
  }
}

/** Whether an operand is an object of the instance. */
export function isKnown(operand: Operand | Variable): operand is Known {
  return 'object' in operand;
}
