/** Scenarios that nobody wrote, by name. */
import type { Scenario } from './kit.ts';
import { pairNamed } from './pairs/index.ts';
import { walkNamed } from './walks/index.ts';

/** The pair or walk of that name; undefined when there is none. */
export function generatedNamed(name: string): Scenario | undefined {
  return pairNamed(name) ?? walkNamed(name);
}
