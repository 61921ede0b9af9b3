/** What makes a module's default export a locking protocol. */
import type { LockingProtocol } from '../../kernel/machine/locking-protocol.ts';

const methods: readonly (keyof LockingProtocol)[] = [
  'lockAreas',
  'unlockAreas',
  'lockPage',
  'unlockPage',
  'lockRange',
  'unlockRange',
  'adoptTable',
  'dropTable',
  'markStray',
];

/** A method that `candidate` would need to be a protocol, or null. */
export function missingProtocolMethod(candidate: unknown): string | null {
  const given = candidate as Partial<LockingProtocol> | null | undefined;
  return methods.find((name) => typeof given?.[name] !== 'function') ?? null;
}
