/**
 * Which functions become generators: those that can reach a scheduling point. What the explore
 * build cannot turn into one is an error with its place, not a guess.
 */
import type { Call, CallGraph, Fn } from './call-types.ts';
import { placeOf } from './module-graph.ts';
import { ExploreBuildError } from './toolchain.ts';

export interface Coloring {
  /** Methods of these names are generators wherever they are declared. */
  readonly methods: ReadonlySet<string>;
  /** Of these, the ones that built-in objects or plain modules have too: decided at run time. */
  readonly ambiguous: ReadonlySet<string>;
}

/** Marks `touches` on every function that reaches a step. Throws for code that it must refuse. */
export function color(graph: CallGraph): Coloring {
  const methods = new Set<string>();
  for (let changed = true; changed;) {
    changed = false;
    for (const fn of graph.functions) {
      if (fn.touches) continue;
      const isNamed = fn.kind === 'method' && methods.has(fn.name);
      if (!isNamed && !fn.calls.some((call) => reaches(call, fn, methods))) continue;
      fn.touches = true;
      changed = true;
      if (fn.kind === 'method') methods.add(fn.name);
    }
  }
  const ambiguous = new Set(
    [...methods].filter((name) => isBuiltIn(name) || graph.plainMethods.has(name)),
  );
  refuse(graph, methods);
  return { methods, ambiguous };
}

/** Whether the call is one to a generator, or yields itself. */
export function reaches(call: Call, caller: Fn, methods: ReadonlySet<string>): boolean {
  if (call.kind === 'step') return true;
  if (call.kind === 'function') return call.target.touches;
  if (call.kind !== 'method' || !methods.has(call.name)) return false;
  // Module-level code and field initialisers work on arrays and maps only.
  return !(isBuiltIn(call.name) && (caller.kind === 'module' || caller.kind === 'constructor'));
}

const BUILT_IN_PROTOTYPES: readonly object[] = [
  Array.prototype,
  Map.prototype,
  Set.prototype,
  String.prototype,
  Number.prototype,
  Object.getPrototypeOf(Int32Array.prototype) as object,
];

function isBuiltIn(name: string): boolean {
  return BUILT_IN_PROTOTYPES.some((prototype) => Object.hasOwn(prototype, name));
}

const REASONS: Readonly<Record<string, string>> = {
  closure: 'a callback cannot touch shared memory: walk with a cursor, or write a function',
  accessor: 'a getter or setter cannot touch shared memory: make it a method',
  constructor: 'a constructor cannot touch shared memory: make a function that creates it',
  module: 'module-level code cannot touch shared memory',
};

function refuse(graph: CallGraph, methods: ReadonlySet<string>): void {
  for (const fn of graph.functions) {
    const reason = fn.touches ? REASONS[fn.kind] : undefined;
    if (reason !== undefined) {
      const call = fn.calls.find((one) => reaches(one, fn, methods));
      const place = placeOf(fn.module, call?.node ?? fn.node);
      throw new ExploreBuildError(`${place}: ${fn.name}: ${reason}`);
    }
    for (const call of fn.calls) refuseCall(fn, call, methods);
  }
  for (const { module, node, target, name } of graph.escapes) {
    const isMethod = target === null && methods.has(name) && !graph.dataNames.has(name);
    const isStep = target === null && node.type === 'Identifier' && name !== '';
    if (target?.touches !== true && !isMethod && !isStep) continue;
    throw new ExploreBuildError(
      `${placeOf(module, node)}: ${target?.name ?? name} touches shared memory and is used as a ` +
        'value, so that a call of it could not be resolved',
    );
  }
}

function refuseCall(fn: Fn, call: Call, methods: ReadonlySet<string>): void {
  const place = placeOf(fn.module, call.node);
  if (call.kind === 'unresolved') {
    throw new ExploreBuildError(`${place}: cannot resolve ${call.what}`);
  }
  if (!reaches(call, fn, methods)) return;
  if (call.inParameters) {
    throw new ExploreBuildError(`${place}: a default value cannot touch shared memory`);
  }
  if (call.kind === 'method' && call.optional) {
    throw new ExploreBuildError(`${place}: an optional call of ${call.name}: test for null first`);
  }
}
