/**
 * Mutant schemata (Untch, Offutt and Harrold 1993): one build that has all mutants, and a switch.
 * Building one by one costs half a second each, and every build starts with cold code.
 *
 * A mutant of a function is a function of its own beside it. The original begins with a switch that
 * leads to it, marks the places of its mutants as executed, and counts the turns of its loops.
 */
import { parse } from 'acorn';
import { decodeLineMap } from '../build/line-map.ts';
import type { Node } from '../build/syntax.ts';
import { childrenOf, field } from '../build/syntax.ts';
import type { Compiled } from '../build/toolchain.ts';
import type { Mutation } from './generate.ts';
import type { KernelFunction } from './kernel-function.ts';
import { edited, mapOf } from './tracked-text.ts';
import type { Tracked, TrackedEdit } from './tracked-text.ts';

/** A mutant with its number in the build, from 1, and the place that it needs executed. */
export interface Numbered {
  readonly mutation: Mutation;
  readonly number: number;
  readonly place: number;
}

/** Where variants of functions have their number. */
const VARIANT = '$m';

function importsFrom(root: string): string {
  return (
    `import { load as $load, store as $store } from '${root}shared/atomics.ts'; ` +
    'import { active as $active, reached as $reached, runner as $runner, turn as $turn } from ' +
    `'${root}lab/explore/runtime/mutation.ts'; `
  );
}

/** The name of a function as it is in the sources. */
export function originalName(name: string): string {
  const at = name.indexOf(VARIANT);
  return at < 0 ? name : name.slice(0, at);
}

/** A compiled module with these mutants of it. */
export function withSchemata(
  path: string,
  { code, map }: Compiled,
  mutants: readonly Numbered[],
): Compiled {
  const toRoot = '../'.repeat(path.split('/').length - 1);
  const edits: TrackedEdit[] = [{ start: 0, end: 0, text: importsFrom(toRoot) }];
  for (const its of byFunction(mutants)) {
    const { fn } = (its[0] as Numbered).mutation;
    edits.push(insertion(fn.body.start + 1, switchOf(fn, its)), ...markers(fn, its));
    for (const one of its) edits.push(insertion(fn.whole.end, variantOf(one)));
  }
  edits.push(...loopCounters(parsed(code)));
  const text = edited(code, 0, code.length, edits);
  return { code: text.text, map: mapOf(text, decodeLineMap(map)) };
}

function parsed(code: string): Node {
  const options = { ecmaVersion: 2022, sourceType: 'module', locations: true } as const;
  return parse(code, options) as unknown as Node;
}

function byFunction(mutants: readonly Numbered[]): Numbered[][] {
  const groups = new Map<KernelFunction, Numbered[]>();
  for (const one of mutants) {
    const { fn } = one.mutation;
    groups.set(fn, [...(groups.get(fn) ?? []), one]);
  }
  return [...groups.values()];
}

function insertion(at: number, text: string | Tracked): TrackedEdit {
  return { start: at, end: at, text };
}

/** The way from the function to its variant that runs. */
function switchOf({ declared, key, code }: KernelFunction, its: readonly Numbered[]): string {
  const name = code.slice(key.start, key.end);
  const object = declared === 'function' ? '' : 'this.';
  const numbers = its.map(({ number }) => number);
  const cases = numbers.map(
    (number) => `case ${number}: return ${object}${name}${VARIANT}${number}(...arguments);`,
  );
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return ` if ($active >= ${low} && $active <= ${high}) switch ($active) { ${cases.join(' ')} }`;
}

/** A copy of the function under another name, with the mutant's edits. */
function variantOf({ mutation: { fn, edits }, number }: Numbered): Tracked {
  const { whole, key, body, declared, code } = fn;
  const start = whole.type.startsWith('Export')
    ? (field(whole, 'declaration') as Node).start
    : whole.start;
  const isThere = (loop: Node): boolean =>
    !edits.some((edit) => edit.start <= loop.start && loop.end <= edit.end);
  const copy = edited(code, start, whole.end, [
    insertion(key.end, `${VARIANT}${number}`),
    insertion(body.start + 1, ' let $before;'),
    ...edits,
    ...loopCounters(body, isThere),
  ]);
  const before = declared === 'object method' ? ', ' : ' ';
  return { text: before + copy.text, lines: copy.lines };
}

/** Notes before the statement of each mutant that it was executed. */
function markers({ body }: KernelFunction, its: readonly Numbered[]): TrackedEdit[] {
  const edits: TrackedEdit[] = [];
  const marked = new Set<number>();
  for (const { mutation, place } of its) {
    if (marked.has(place)) continue;
    marked.add(place);
    const { statement, inList } = statementAround(body, mutation.at);
    edits.push(insertion(statement.start, `${inList ? '' : '{ '}$reached[${place}] |= $runner; `));
    if (!inList) edits.push(insertion(statement.end, ' }'));
  }
  return edits;
}

/** The statement that a node is or is in, and whether it stands in a list of statements. */
export function statementAround(body: Node, node: Node): { statement: Node; inList: boolean } {
  let statement = body;
  let inList = true;
  for (let at = body; at !== node;) {
    const next = childrenOf(at).find(({ start, end }) => start <= node.start && node.end <= end);
    if (next === undefined) break;
    if (/Statement$|^VariableDeclaration$/.test(next.type) && !isHead(at, next)) {
      statement = next;
      inList = at.type === 'BlockStatement' || at.type === 'SwitchCase';
    }
    at = next;
  }
  return { statement, inList };
}

/** Whether a declaration is the head of a loop. */
function isHead(loop: Node, part: Node): boolean {
  return /^For/.test(loop.type) && field(loop, 'body') !== part;
}

function loopCounters(root: Node, isThere = (_loop: Node): boolean => true): TrackedEdit[] {
  return allNodes(root).flatMap((node) => {
    const body = /^(For|ForOf|ForIn|While|DoWhile)Statement$/.test(node.type)
      ? field(node, 'body')
      : null;
    if (body === null || !isThere(node)) return [];
    if (body.type === 'BlockStatement') return [insertion(body.start + 1, ' $turn();')];
    return [insertion(body.start, '{ $turn(); '), insertion(body.end, ' }')];
  });
}

function allNodes(root: Node): Node[] {
  return [root, ...childrenOf(root).flatMap(allNodes)];
}
