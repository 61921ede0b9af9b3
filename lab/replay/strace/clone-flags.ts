/** What a new process shares with its maker, from how strace prints the call. */
import { CLONE_VFORK, CLONE_VM } from '../../../shared/abi/sched.ts';
import { SIGCHLD } from '../../../shared/abi/signals.ts';
import type { FlagValues } from './flag-values.ts';
import type { CallText } from './call-text.ts';

/** Flags of clone(2); those of fork, if they are not understood. */
export function cloneFlags(name: string, call: CallText, values: FlagValues): number {
  if (name === 'vfork') return CLONE_VM | CLONE_VFORK | SIGCHLD;
  for (let i = 0; name !== 'fork' && i < call.count; i++) {
    const text = /(?:^|\{)flags=([^,}\s]+)/.exec(call.argument(i))?.[1];
    const value = text === undefined ? NaN : values.of(text);
    if (!Number.isNaN(value)) return value;
  }
  return SIGCHLD;
}
