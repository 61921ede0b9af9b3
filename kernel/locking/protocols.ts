/** The protocols that ship, by name. */
import { globalProtocol } from './global.ts';
import { pathProtocol } from './path.ts';
import type { LockingProtocol, LockingProtocolName } from '../machine/locking-protocol.ts';
import { rcuProtocol } from './rcu.ts';
import { rwlockProtocol } from './rwlock-protocol.ts';
import { vmaProtocol } from './vma.ts';

export const PROTOCOLS: Readonly<Record<LockingProtocolName, LockingProtocol>> = {
  global: globalProtocol,
  rwlock: rwlockProtocol,
  vma: vmaProtocol,
  path: pathProtocol,
  rcu: rcuProtocol,
};

export const DEFAULT_PROTOCOL: LockingProtocolName = 'rcu';

export const PROTOCOL_NAMES: readonly LockingProtocolName[] = [
  'global',
  'rwlock',
  'vma',
  'path',
  'rcu',
];

/** The built-in protocol of that name, or null. */
export function protocolNamed(name: string): LockingProtocol | null {
  return PROTOCOL_NAMES.includes(name as LockingProtocolName)
    ? PROTOCOLS[name as LockingProtocolName]
    : null;
}
