/**
 * A process's signals on its CPU worker: its handlers, and the points at which they run.
 *
 * A handler is a plain function that runs on the process's thread where the program would not
 * notice: at a syscall, at an access that polls, or between two awaits. For signals that end the
 * process, the kernel decided when they were sent; they are not taken here.
 *
 * Guarantees: while a handler runs its own signal is blocked, as without SA_NODEFER; afterwards
 * the mask is restored. What a handler throws is thrown where it was called. After a handler has
 * run, waits that can be interrupted end with EINTR, as without SA_RESTART.
 */
import {
  ACTION_CATCH,
  ACTION_DEFAULT,
  ACTION_IGNORE,
  actionOf,
  defaultsToNothing,
  hasSignal,
  maskOf,
  pendingSet,
  setAction,
  setMask,
  signalSender,
  takeSignal,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { EINVAL } from '../../../shared/abi/errno.ts';
import {
  SIGABRT,
  SIGKILL,
  SIGNALS,
  signalBit,
  signalName,
  signalNumber,
} from '../../../shared/abi/signals.ts';
import type { SignalName } from '../../../shared/abi/signals.ts';
import type { FaultHandler, SignalAction, SignalHandler } from '../../api/machine-api.ts';
import { SyscallError } from '../../wire/errors.ts';
import type { ProcGuard } from './proc-guard.ts';

export class SignalDelivery {
  readonly #cpu: Cpu;
  readonly #proc: number;
  readonly #guard: ProcGuard;
  readonly #die: (signal: number) => never;
  readonly #handlers = new Map<number, SignalHandler | FaultHandler>();
  readonly #interrupts = new Set<() => void>();

  /** `proc` is the process's block; `die` ends the process by a signal, and throws. */
  constructor(cpu: Cpu, proc: number, guard: ProcGuard, die: (signal: number) => never) {
    this.#cpu = cpu;
    this.#proc = proc;
    this.#guard = guard;
    this.#die = die;
  }

  sigaction(name: string, action: SignalAction | FaultHandler): void {
    const signal = signalNumber(name);
    if (signal === 0 || signal === SIGKILL || signal === SIGABRT) {
      throw new SyscallError('sigaction', EINVAL);
    }
    if (action !== null && action !== 'ignore' && typeof action !== 'function') {
      throw new TypeError(`sigaction: expected a function, 'ignore' or null, got ${typeof action}`);
    }
    if (typeof action === 'function') {
      this.#handlers.set(signal, action);
      setAction(this.#cpu, this.#proc, signal, ACTION_CATCH);
      return;
    }
    setAction(this.#cpu, this.#proc, signal, action === null ? ACTION_DEFAULT : ACTION_IGNORE);
    this.#handlers.delete(signal);
  }

  /** The blocked set before the change. */
  sigprocmask(how: 'block' | 'unblock' | 'set', names: readonly string[]): SignalName[] {
    if (!Array.isArray(names)) {
      throw new TypeError(`sigprocmask: signals must be an array of names, got ${typeof names}`);
    }
    let set = 0;
    for (const name of names as readonly string[]) {
      const signal = signalNumber(name);
      if (signal === 0) throw new SyscallError('sigprocmask', EINVAL);
      set |= signalBit(signal);
    }
    const before = maskOf(this.#cpu, this.#proc);
    if (how === 'block') setMask(this.#cpu, this.#proc, before | set);
    else if (how === 'unblock') setMask(this.#cpu, this.#proc, before & ~set);
    else if (how === 'set') setMask(this.#cpu, this.#proc, set);
    else throw new SyscallError('sigprocmask', EINVAL);
    this.deliver();
    return namesOf(before);
  }

  sigpending(): SignalName[] {
    return namesOf(pendingSet(this.#cpu, this.#proc));
  }

  /** The handler for one of the program's own faults; none while the signal is blocked. */
  faultHandler(name: 'SIGSEGV' | 'SIGBUS'): FaultHandler | null {
    const signal = SIGNALS[name];
    if ((maskOf(this.#cpu, this.#proc) & signalBit(signal)) !== 0) return null;
    return (this.#handlers.get(signal) as FaultHandler | undefined) ?? null;
  }

  /** Runs the handlers of all pending signals that are not blocked. */
  deliver(): void {
    if (!hasSignal(this.#cpu, this.#proc)) return;
    let hasHandled = false;
    for (;;) {
      const signal = takeSignal(this.#cpu, this.#proc);
      if (signal === 0) break;
      const action = actionOf(this.#cpu, this.#proc, signal);
      if (action === ACTION_CATCH) {
        hasHandled = true;
        this.#handle(signal);
      } else if (action === ACTION_DEFAULT && !defaultsToNothing(signal)) {
        this.#die(signal);
      }
    }
    if (hasHandled) for (const interrupt of [...this.#interrupts]) interrupt();
  }

  /** `interrupt` is called after the next handler that runs, until the result is called. */
  onInterrupt(interrupt: () => void): () => void {
    this.#interrupts.add(interrupt);
    return () => void this.#interrupts.delete(interrupt);
  }

  #handle(signal: number): void {
    const handler = this.#handlers.get(signal) as SignalHandler | undefined;
    if (handler === undefined) return;
    const pid = signalSender(this.#cpu, this.#proc, signal);
    const mask = maskOf(this.#cpu, this.#proc);
    setMask(this.#cpu, this.#proc, mask | signalBit(signal));
    try {
      handler({ signal: signalName(signal) as SignalName, pid });
    } finally {
      // Once the process has ended, the block is no longer its own.
      if (!this.#guard.isOver) setMask(this.#cpu, this.#proc, mask);
    }
  }
}

function namesOf(set: number): SignalName[] {
  const names = Object.keys(SIGNALS) as SignalName[];
  return names.filter((name) => (set & signalBit(SIGNALS[name])) !== 0);
}
