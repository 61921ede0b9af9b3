/**
 * The systematic mutants of a module: what the operators propose for each of its functions, with a
 * name that stays when other functions change.
 */
import { parse } from 'acorn';
import type { Node } from '../build/syntax.ts';
import type { Change, Edit, Operator, OperatorName } from './change.ts';
import { functionsOf } from './kernel-function.ts';
import type { KernelFunction } from './kernel-function.ts';
import { dropCheck } from './operators/drop-check.ts';
import { dropLock } from './operators/drop-lock.ts';
import { dropCall } from './operators/drop.ts';
import { move } from './operators/move.ts';
import { offByOne } from './operators/off-by-one.ts';
import { weakenUpdates } from './operators/updates.ts';

const ALL: readonly Operator[] = [dropCall, dropLock, dropCheck, move, weakenUpdates, offByOne];

/** A mutant of one function. */
export interface Mutation {
  /** file:function:operator:n, where n counts within function and operator, from 1. */
  readonly id: string;
  readonly path: string;
  readonly operator: OperatorName;
  readonly fn: KernelFunction;
  /** Where it is changed. */
  readonly at: Node;
  readonly edits: readonly Edit[];
}

/**
 * Rooms whose code is no subject: the audit is an oracle, reports are read by nobody, and mocks,
 * injected faults and the log serve tests and people.
 */
const LEFT_OUT =
  /^kernel\/(audit\/audit|reports\/|areas\/(mock|heap)-|machine\/(inject|log|held-locks)\.)/;

export function isSubject(path: string): boolean {
  return path.startsWith('kernel/') && !LEFT_OUT.test(path);
}

/** The mutants of a module's JavaScript, in source order of its functions. */
export function mutationsOf(path: string, code: string): Mutation[] {
  const options = { ecmaVersion: 2022, sourceType: 'module', locations: true } as const;
  const program = parse(code, options) as unknown as Node;
  return functionsOf(program, code).flatMap((fn) => [...mutationsOfFunction(path, fn)]);
}

function* mutationsOfFunction(path: string, fn: KernelFunction): Iterable<Mutation> {
  const seen = new Set<string>([withEdits(fn, [])]);
  const counts = new Map<OperatorName, number>();
  const changes: Change[] = ALL.flatMap((operator) => [...operator(fn)]);
  for (const { operator, at, edits } of changes) {
    // What two operators propose alike is one mutant, and what changes nothing is none.
    const text = withEdits(fn, edits);
    if (seen.has(text) || isOfStatistics(fn, edits)) continue;
    seen.add(text);
    const count = (counts.get(operator) ?? 0) + 1;
    counts.set(operator, count);
    yield { id: `${path}:${fn.name}:${operator}:${count}`, path, operator, fn, at, edits };
  }
}

/** Words that are counted for reports: no decision depends on them, and no oracle looks. */
const STATISTICS = /_PEAK\b|\.(SHOOTDOWNS|TABLE_FRAMES|FAULTS_M\w+|JIFFIES)\b|\bSTAT\./;

function isOfStatistics({ code }: KernelFunction, edits: readonly Edit[]): boolean {
  return edits.some((edit) => STATISTICS.test(code.slice(edit.start, edit.end)));
}

/** The text of a function's body with the edits, whatever its blanks. */
function withEdits({ code, body }: KernelFunction, edits: readonly Edit[]): string {
  let result = '';
  let from = body.start;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start)) {
    result += code.slice(from, start) + text;
    from = end;
  }
  return (result + code.slice(from, body.end)).replace(/\s+/g, ' ');
}

/** What is changed into what, for people. */
export function describeMutation({ fn: { code }, edits }: Mutation): string {
  const quoted = (text: string): string => `'${text.replace(/\s+/g, ' ').trim()}'`;
  const [first] = edits;
  if (first !== undefined && first.start === first.end) {
    const line = code.slice(first.start, code.indexOf('\n', first.start));
    return `${quoted(first.text)} before ${quoted(line)}`;
  }
  const parts = edits.map(({ start, end, text }) => {
    const was = quoted(code.slice(start, end));
    return text === ';' ? `without ${was}` : `${was} becomes ${quoted(text)}`;
  });
  return parts.join(', ');
}
