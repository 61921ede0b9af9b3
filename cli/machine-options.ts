/** Options that say what a machine is made of, for the commands that boot one. */
import { FLUSH_POLICIES, PROTOCOL_NAMES } from '../kernel/index.ts';
import { requireModule } from './load-module.ts';
import type { OptionSpec } from './options.ts';
import { suggest, UsageError } from './usage-error.ts';

const protocols: readonly string[] = PROTOCOL_NAMES;

/** `--protocol`; `others` are the values besides built-in names. */
export function protocolOption(value: string, others: string): OptionSpec {
  return { value, help: `locking: ${protocols.join(', ')}, ${others} (rcu)` };
}

/** `--shootdown`; `others` are the values besides the policies' names. */
export function shootdownOption(others: string): OptionSpec {
  return { value: 'POLICY', help: `TLB flushes: ${FLUSH_POLICIES.join(', ')}${others} (batched)` };
}

export function parseProtocol(text: string): string {
  return parsePart('protocol', text, protocols);
}

/** The name of a built-in part of the machine, or the path of a module that exists. */
export function parsePart(what: string, text: string, builtIn: readonly string[]): string {
  if (builtIn.includes(text)) return text;
  if (!/[\\/]|\.m?[jt]s$/.test(text)) {
    const hint = suggest(text, builtIn) || `; built-in: ${builtIn.join(', ')}`;
    throw new UsageError(`no ${what} is called '${text}'${hint}`);
  }
  requireModule(text);
  return text;
}
