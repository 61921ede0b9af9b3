/*
 * Flags as values: what the seeds' bound `F: Copy` is in JavaScript.
 *
 * *Guarantees*: a plain object or array is copied, unless it is frozen, so that no two areas share
 * one that somebody may write. *Not guaranteed*: anything about other objects, which are shared and
 * must be immutable; nor about objects inside of flags.
 */

/** Whether two sets of flags are the same. Must be pure. */
export type FlagsEqual<F> = (left: F, right: F) => boolean;

type Fields = Record<string, unknown>;

function isPlain(flags: unknown): flags is Fields {
  if (typeof flags !== 'object') return false;
  return flags?.constructor === Object || Array.isArray(flags);
}

/** A set of flags that nobody else can change. */
export function copyFlags<F>(flags: F): F {
  if (!isPlain(flags) || Object.isFrozen(flags)) return flags;
  return (Array.isArray(flags) ? [...(flags as unknown[])] : { ...flags }) as F;
}

/** Equality of flags where the set has none of its own: `===`, and field by field if plain. */
export function sameFlags<F>(left: F, right: F): boolean {
  if (left === right) return true;
  if (!isPlain(left) || !isPlain(right)) return false;
  const other: Fields = right;
  return Object.keys({ ...left, ...other }).every((key) => (left as Fields)[key] === other[key]);
}
