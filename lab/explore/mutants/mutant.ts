/** A seeded bug, and the changes of source text that make it. */
import type { Patch } from '../build/build-model.ts';

export interface Mutant {
  readonly name: string;
  readonly about: string;
  /** Where exploration is to find it. */
  readonly scenario: string;
  readonly protocol: string;
  readonly patches: readonly Patch[];
}

export function patch(path: string, find: string, replace: string): Patch {
  return { path, find, replace };
}
