/** Finds the machine's reclaim policy: a built-in's name or a module's URL. */
import { platform } from '#platform';
import { RECLAIM_POLICY_NAMES, reclaimPolicy } from '../../../kernel/index.ts';
import type { ReclaimPolicy } from '../../../kernel/index.ts';

/** `below` gives random integers from 0 to a bound - 1. */
export async function loadReclaimPolicy(
  policy: string,
  below: (bound: number) => number,
): Promise<ReclaimPolicy> {
  const builtIn = reclaimPolicy(policy, below);
  if (builtIn !== null) return builtIn;
  if (!policy.includes(':')) {
    const names = RECLAIM_POLICY_NAMES.join(', ');
    throw new RangeError(
      `boot: reclaim must be one of ${names}, or a module's URL, got '${policy}'`,
    );
  }
  const { default: candidate } = await platform.importModule(policy);
  const missing = missingReclaimMethod(candidate);
  if (missing !== null) {
    throw new TypeError(`boot: the default export of ${policy} has no method ${missing}`);
  }
  return candidate as ReclaimPolicy;
}

/** A method that `candidate` would need to be a reclaim policy, or null. */
export function missingReclaimMethod(candidate: unknown): string | null {
  const given = candidate as Partial<ReclaimPolicy> | null | undefined;
  return typeof given?.choose === 'function' ? null : 'choose';
}
