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
  const module = await platform.importModule(policy);
  const candidate = module['default'] as Partial<ReclaimPolicy> | undefined;
  if (typeof candidate?.choose !== 'function') {
    throw new TypeError(`the default export of ${policy} is no reclaim policy: it has no choose`);
  }
  return candidate as ReclaimPolicy;
}
