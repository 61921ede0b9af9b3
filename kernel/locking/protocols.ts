/** The protocols that ship, by name. */
import { globalProtocol } from './global.ts';
import { pathProtocol } from './path.ts';
import type { LockingProtocol } from '../machine/locking-protocol.ts';
import { rcuProtocol } from './rcu.ts';
import { rwlockProtocol } from './rwlock-protocol.ts';
import { vmaProtocol } from './vma.ts';

/** The names of the built-in protocols. */
export const PROTOCOL_NAMES = ['global', 'rwlock', 'vma', 'path', 'rcu'] as const;
/** The name of a built-in locking protocol. */
export type LockingProtocolName = (typeof PROTOCOL_NAMES)[number];

/** The built-in protocols by name. */
export const PROTOCOLS: Readonly<Record<LockingProtocolName, LockingProtocol>> = {
  global: globalProtocol,
  rwlock: rwlockProtocol,
  vma: vmaProtocol,
  path: pathProtocol,
  rcu: rcuProtocol,
};

/** The one that is used if none is named. */
export const DEFAULT_PROTOCOL: LockingProtocolName = 'rcu';

/** The built-in protocol of that name, or null. */
export function protocolNamed(name: string): LockingProtocol | null {
  return Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name as LockingProtocolName] : null;
}
