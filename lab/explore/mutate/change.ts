/** What an operator proposes: a change of one function's text. */
import type { Node } from '../build/syntax.ts';
import type { KernelFunction } from './kernel-function.ts';

/** The operators, as --operator and the mutants' names have them. */
export const OPERATORS = [
  'drop-flush',
  'drop-lock',
  'drop-check',
  'drop-rollback',
  'drop-reference',
  'drop-wake-up',
  'early-unlock',
  'early-free',
  'split-update',
  'weaken-exchange',
  'off-by-one',
  'swap-accesses',
] as const;

export type OperatorName = (typeof OPERATORS)[number];

/** Replaces [start, end) of a module's text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Change {
  readonly operator: OperatorName;
  /** What is changed: it must be executed for the change to matter. */
  readonly at: Node;
  /** Apart from each other, in any order. */
  readonly edits: readonly Edit[];
}

export type Operator = (fn: KernelFunction) => Iterable<Change>;

/** Replaces a node by a text. */
export function replaced(node: Node, text: string): Edit {
  return { start: node.start, end: node.end, text };
}
