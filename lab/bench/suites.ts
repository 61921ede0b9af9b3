/** Every suite, and what can be run of each. */
import { MACHINE_ROWS } from './machine/machine-suites.ts';
import { BENCHMARKS, PROTOCOL_SUITES } from './protocols/benchmarks.ts';
import type { SuiteName } from './row.ts';

export const SUITES: readonly SuiteName[] = ['floors', ...PROTOCOL_SUITES, 'engine'];

export interface Listed {
  readonly suite: SuiteName;
  readonly name: string;
  readonly summary: string;
}

/** What `--benchmark` can name, each once. */
export const LISTED: readonly Listed[] = [
  ...MACHINE_ROWS.map(({ suite, name, what, floor }) => {
    return { suite, name, summary: `${what} / ${floor}` };
  }),
  ...BENCHMARKS,
];

export function isProtocolSuite(suite: SuiteName): boolean {
  return (PROTOCOL_SUITES as readonly string[]).includes(suite);
}
