/** How a process ended that threw something. */
import { SIGNALS } from '../../../shared/abi/signals.ts';
import type { WireStatus } from '../../../shared/wire.ts';
import { MemoryFault } from '../../wire/errors.ts';
import { describeThrown, isA, stackOf } from '../../wire/thrown.ts';

type KilledStatus = Extract<WireStatus, { readonly signal: string }>;

/** Programs can make a MemoryFault themselves, of anything. */
function isGenuine({ signal, code, address }: MemoryFault): boolean {
  return signal in SIGNALS && typeof code === 'string' && Number.isSafeInteger(address);
}

/** As V8, SpiderMonkey and JavaScriptCore say it. */
function isStackOverflow(error: unknown): boolean {
  return /call stack size exceeded|too much recursion/i.test(describeThrown(error));
}

/** `prefix` comes before what is known of the error. Never throws. */
export function thrownStatus(error: unknown, prefix = ''): KilledStatus {
  const stack = stackOf(error);
  const more = stack === undefined ? {} : { stack };
  if (isA(error, MemoryFault) && isGenuine(error)) {
    const { signal, code, address, access } = error;
    return { signal, faultCode: code, address, reason: `${String(access)} refused`, ...more };
  }
  const what = isStackOverflow(error) ? 'stack overflow: ' : '';
  return { signal: 'SIGABRT', reason: `${prefix}${what}${describeThrown(error)}`, ...more };
}
