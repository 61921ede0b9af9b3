/** What the library needs from a process, and how it waits: in a loop, as with every futex. */
import { EAGAIN, EINTR } from '../../shared/abi/errno.ts';
import type { Proc } from '../api/machine-api.ts';
import { SyscallError } from '../wire/errors.ts';

/** What these classes need of a process: its memory and the futex calls. */
export type FutexProcess = Pick<Proc, 'mem' | 'local' | 'futexWait'>;

/** The word changed before the wait, or a signal's handler ran: reasons to look again. */
function mustLookAgain(error: unknown): boolean {
  return error instanceof SyscallError && (error.errno === EAGAIN || error.errno === EINTR);
}

/** Sleeps while the word holds `value`; may return early. Signals are handled meanwhile. */
export async function sleepWhile(proc: FutexProcess, at: number, value: number): Promise<void> {
  await proc.futexWait(at, value).catch((error: unknown) => {
    if (!mustLookAgain(error)) throw error;
  });
}

/** As `sleepWhile`, with the whole Worker. */
export function sleepWhileSync(proc: FutexProcess, at: number, value: number): void {
  try {
    proc.local.futexWait(at, value);
  } catch (error) {
    if (!mustLookAgain(error)) throw error;
  }
}
