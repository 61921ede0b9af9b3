/**
 * How a block of the machine is described: which word holds what, and what protects it.
 *
 * Each file of this folder describes one block: its fields as constants, in words from the block's
 * first word, and below them a table of the same fields, grouped by what protects them. The
 * constants are for code; the table is for code that reads a machine from outside: the audit, the
 * explorer's stories and the check that no two fields overlap, which runs when the file is loaded.
 */
import { assert } from '../panic.ts';

/** A field of a block. */
export interface Field {
  /** As its constant. */
  readonly name: string;
  /** First word, from the block's first. */
  readonly at: number;
  /** Its length. */
  readonly words: number;
  /** What protects the field: a lock, a rule, or that it is never written again. */
  readonly protection: string;
}

/** A block of the machine: what its words hold. */
export interface Block {
  /** What it is, for reports. */
  readonly name: string;
  /** Its length. */
  readonly words: number;
  /** In ascending order. */
  readonly fields: readonly Field[];
  /** Words that belong to no field: always 0. */
  readonly gaps: readonly number[];
}

/** Fields by name: the word, or {word, number of words} for a field of several words. */
export type FieldGroup = Readonly<Record<string, number | readonly [at: number, words: number]>>;

/** Describes a block of `words` words; `groups` by what protects them. Asserts that it is sound. */
export function describeBlock(
  name: string,
  words: number,
  groups: Readonly<Record<string, FieldGroup>>,
): Block {
  const fields: Field[] = [];
  for (const [protection, group] of Object.entries(groups)) {
    for (const [field, place] of Object.entries(group)) {
      const [at, size] = typeof place === 'number' ? [place, 1] : place;
      fields.push({ name: field, at, words: size, protection });
    }
  }
  fields.sort((a, b) => a.at - b.at);
  const gaps: number[] = [];
  let end = 0;
  for (const field of fields) {
    assert(field.at >= end, `layout: ${name}.${field.name} overlaps the field before it`);
    while (end < field.at) gaps.push(end++);
    end = field.at + field.words;
  }
  assert(end <= words, `layout: ${name} has fields beyond its ${words} words`);
  while (end < words) gaps.push(end++);
  return { name, words, fields, gaps };
}

/** The name of the word `at` of a block: 'ROOT', 'BRK+1', or '+7' for a word of no field. */
export function fieldName(block: Block, at: number): string {
  for (const field of block.fields) {
    if (at < field.at || at >= field.at + field.words) continue;
    return at === field.at ? field.name : `${field.name}+${at - field.at}`;
  }
  return `+${at}`;
}
