/** The call graph's values: functions, calls, and uses of functions other than calls. */
import type { Module } from './module-graph.ts';
import type { Node } from './syntax.ts';

export type FunctionKind = 'declaration' | 'method' | 'accessor' | 'constructor' | 'closure';

export interface Fn {
  readonly module: Module;
  readonly node: Node;
  readonly name: string;
  readonly kind: FunctionKind | 'module';
  /** Where the `*` of a generator goes. */
  readonly starAt: number;
  readonly calls: Call[];
  touches: boolean;
}

export type Call = { readonly node: Node; readonly inParameters: boolean } & (
  | { readonly kind: 'step' | 'plain-access'; readonly name: string }
  | { readonly kind: 'function'; readonly target: Fn }
  | { readonly kind: 'method'; readonly name: string; readonly optional: boolean }
  | { readonly kind: 'unresolved'; readonly what: string }
);

/** A use of a function other than a call. */
export interface Escape {
  readonly module: Module;
  readonly node: Node;
  readonly target: Fn | null;
  /** Property read, when that is how it was named. */
  readonly name: string;
}

export interface CallGraph {
  readonly functions: readonly Fn[];
  readonly escapes: readonly Escape[];
  /** Names of properties that hold data somewhere, and so may be read freely. */
  readonly dataNames: ReadonlySet<string>;
  /** Methods of modules that are not transformed. */
  readonly plainMethods: ReadonlySet<string>;
}

export interface Facade {
  readonly paths: ReadonlySet<string>;
  /** Functions that are a scheduling point. */
  readonly steps: ReadonlySet<string>;
  /** Whether a plain access is made a scheduling point in the module that makes it. */
  isStep(access: string, modulePath: string): boolean;
}
