/** Finds a locking protocol, separately in each thread: functions do not cross Workers. */
import { platform } from '#platform';
import { PROTOCOL_NAMES, protocolNamed } from '../../kernel/index.ts';
import type { LockingProtocol } from '../../kernel/index.ts';
import { missingProtocolMethod } from './protocol-methods.ts';

/** `protocol` is a built-in's name or the absolute URL of a module that exports one as default. */
export async function loadProtocol(protocol: string): Promise<LockingProtocol> {
  const builtIn = protocolNamed(protocol);
  if (builtIn !== null) return builtIn;
  if (!protocol.includes(':')) {
    const names = PROTOCOL_NAMES.join(', ');
    throw new RangeError(
      `boot: protocol must be one of ${names}, or a module's URL, got '${protocol}'`,
    );
  }
  const { default: candidate } = await platform.importModule(protocol);
  const missing = missingProtocolMethod(candidate);
  if (missing !== null) {
    throw new TypeError(`boot: the default export of ${protocol} has no method ${missing}`);
  }
  return candidate as LockingProtocol;
}
