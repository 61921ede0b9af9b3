/**
 * What the user does by hand: a call of the process, with what the machine looked like before and
 * after it. Lessons listen, so that they can check what was done.
 */
import type { Pid, VirtAddr } from '../../shared/units.ts';
import type { Session } from '../core/session.ts';
import { accessPath, momentOf } from './fault-path.ts';
import type { PathStep } from './fault-path.ts';
import type { HandCall, HandReply } from './hand-messages.ts';

/** What came of a call. */
export interface HandOutcome {
  readonly pid: Pid;
  readonly what: HandCall;
  readonly reply: HandReply;
  /** Of a read or write; empty for others. */
  readonly path: readonly PathStep[];
}

const listeners = new Set<(outcome: HandOutcome) => void>();

/** Calls `listener` after each call by hand, from now on. */
export function onHandWork(listener: (outcome: HandOutcome) => void): void {
  listeners.add(listener);
}

export async function handWork(session: Session, pid: Pid, what: HandCall): Promise<HandOutcome> {
  const isAccess = what.call === 'read' || what.call === 'write';
  const address: VirtAddr = isAccess ? what.address : 0;
  const before = momentOf(session.machine, pid, address);
  const reply = await session.hand.ask(pid, what);
  const after = momentOf(session.machine, pid, address);
  const path = isAccess ? accessPath(before, after, what.call === 'write', reply.error) : [];
  const outcome: HandOutcome = { pid, what, reply, path };
  for (const listener of listeners) listener(outcome);
  return outcome;
}
