/**
 * The transform: functions that reach a step become generators, calls of them `yield*`, and each
 * access to shared memory is handed the number of its site. Insertions only, so that every line
 * and column before an insertion keeps its place.
 */
import type { Call, CallGraph, Fn } from './call-types.ts';
import type { Coloring } from './color.ts';
import { reaches } from './color.ts';
import type { Module } from './module-graph.ts';
import { placeOf } from './module-graph.ts';
import { heapWrites } from './heap-writes.ts';
import type { Node } from './syntax.ts';
import { list } from './syntax.ts';

/** Where an access stands in the sources. */
export interface Site {
  /** file:line of the TypeScript. */
  readonly place: string;
  /** The function around it. */
  readonly caller: string;
  readonly access: string;
}

interface Insertion {
  readonly at: number;
  /** Of two insertions at one place the one of lower rank comes first. */
  readonly rank: number;
  readonly text: string;
}

/** The module name by which transformed code finds `delegate`. */
export const RUNTIME_MODULE = 'explore:runtime';

const IMPORTED =
  '{ delegate as $delegate, enter as $enter, leave as $leave, wrote as $wrote, ' +
  'changed as $changed, somethingChanged as $somethingChanged }';

/** Text to be put around a node. */
export interface Wrap {
  readonly node: Node;
  readonly before: string;
  readonly after: string;
}

/** Transformed code by path; `sites` gets an entry for every access. */
export function transformModules(
  graph: CallGraph,
  coloring: Coloring,
  sites: Site[],
): Map<string, string> {
  const byModule = new Map<Module, Insertion[]>();
  for (const fn of graph.functions) {
    let insertions = byModule.get(fn.module);
    if (insertions === undefined) {
      insertions = [];
      byModule.set(fn.module, insertions);
      for (const { node, before, after } of heapWrites(fn.module.program, fn.module.code)) {
        wrap(insertions, node.start, node.end, before, after);
      }
    }
    if (fn.touches) insertions.push({ at: fn.starAt, rank: 0, text: '*' });
    for (const call of fn.calls) insertCall(insertions, fn, call, coloring, sites);
  }
  const code = new Map<string, string>();
  for (const [module, insertions] of byModule) {
    code.set(module.path, applyInsertions(module.code, insertions));
  }
  return code;
}

function insertCall(
  insertions: Insertion[],
  fn: Fn,
  call: Call,
  coloring: Coloring,
  sites: Site[],
): void {
  const { start, end } = call.node;
  if (call.kind === 'step' || call.kind === 'plain-access') {
    const site = sites.length;
    sites.push({ place: placeOf(fn.module, call.node), caller: fn.name, access: call.name });
    const comma = list(call.node, 'arguments').length > 0 ? ', ' : '';
    const isPlainStep = call.kind === 'step' && (call.name === 'peek' || call.name === 'poke');
    const text = `${comma}${site}${isPlainStep ? ', 1' : ''}`;
    insertions.push({ at: end - 1, rank: 0, text });
    if (call.kind === 'step') wrap(insertions, start, end, '(', ' ?? (yield))');
  } else if (reaches(call, fn, coloring.methods)) {
    if (call.kind === 'method' && coloring.ambiguous.has(call.name)) {
      wrap(insertions, start, end, '$leave($enter(), yield* $delegate(', '))');
    } else wrap(insertions, start, end, '$leave($enter(), yield* ', ')');
  }
}

/** Of two wraps that begin or end at one place one is inside the other: ranks keep it there. */
function wrap(into: Insertion[], start: number, end: number, before: string, after: string): void {
  into.push({ at: start, rank: 1e9 - end, text: before });
  into.push({ at: end, rank: -1e9 - start, text: after });
}

function applyInsertions(code: string, insertions: readonly Insertion[]): string {
  const ordered = [...insertions].sort((a, b) => a.at - b.at || a.rank - b.rank);
  let result = `import ${IMPORTED} from '${RUNTIME_MODULE}'; `;
  let from = 0;
  for (const { at, text } of ordered) {
    result += code.slice(from, at) + text;
    from = at;
  }
  return result + code.slice(from);
}
