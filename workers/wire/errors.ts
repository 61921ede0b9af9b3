/**
 * The errors that cross Workers. Each carries its facts as plain fields, so that it can be rebuilt
 * with its class on the other side (error-transfer.ts) and tested by `instanceof` there.
 */
import { errnoName } from '../../shared/abi/errno.ts';
import type { FaultInfo } from '../api/machine-api.ts';
import { ERRNO_TEXTS } from './errno-texts.ts';
import { hexAddress } from './hex-address.ts';

/** The name of an error's class, under a key that all copies of this file share. */
const className = Symbol.for('faultline.className');

/**
 * Makes `instanceof` know the instances of other copies of this file: a program that a bundler has
 * made contains one, and the errors that it meets are made by the machine's.
 */
function knowCopies(errorClass: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, className, { value: name });
  const isInstance = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value(this: unknown, thrown: unknown): boolean {
      if (isInstance.call(this, thrown)) return true;
      // A class that extends this one inherits the method, and has no copies.
      return this === errorClass && thrown instanceof Error && classNameOf(thrown) === name;
    },
  });
}

function classNameOf(error: Error): unknown {
  return (error as { [className]?: unknown })[className];
}

/** A syscall that the kernel refused. */
export class SyscallError extends Error {
  static {
    knowCopies(this, 'SyscallError');
  }
  /** The name of the class. */
  override readonly name = 'SyscallError';
  /** Positive errno number, as in Linux. */
  readonly errno: number;
  /** Its name: 'EINVAL', 'ENOMEM', … */
  readonly code: string;
  /** The call that failed. */
  readonly syscall: string;

  constructor(syscall: string, errno: number, detail?: string) {
    const text = detail ?? ERRNO_TEXTS[errno];
    super(`${syscall}: ${errnoName(errno)}${text === undefined ? '' : `, ${text}`}`);
    this.errno = errno;
    this.code = errnoName(errno);
    this.syscall = syscall;
  }
}

/** An access to user memory that the kernel refused and no handler repaired. */
export class MemoryFault extends Error implements FaultInfo {
  static {
    knowCopies(this, 'MemoryFault');
  }
  /** The name of the class. */
  override readonly name = 'MemoryFault';
  /** The signal that an unhandled fault ends the process with. */
  readonly signal: FaultInfo['signal'];
  /** Why: nothing is mapped, the permission is missing, or no page can be had. */
  readonly code: FaultInfo['code'];
  /** Byte address of the access. */
  readonly address: number;
  /** What was tried. */
  readonly access: FaultInfo['access'];

  constructor(info: FaultInfo) {
    super(`${info.signal} (${info.code}): ${info.access} at ${hexAddress(info.address)}`);
    this.signal = info.signal;
    this.code = info.code;
    this.address = info.address;
    this.access = info.access;
  }
}

/** Thrown by every use of `proc` after its process has ended. */
export class ProcessKilled extends Error {
  static {
    knowCopies(this, 'ProcessKilled');
  }
  /** The name of the class. */
  override readonly name = 'ProcessKilled';
  /** The process that has ended. */
  readonly pid: number;
  /** The signal that ended the process, or 'exit'. */
  readonly signal: string;

  constructor(pid: number, signal: string) {
    super(`process ${pid} has ended (${signal})`);
    this.pid = pid;
    this.signal = signal;
  }
}

/** What the calls to a Worker reject with when it ends before it answers. */
export class WorkerDied extends Error {
  static {
    knowCopies(this, 'WorkerDied');
  }
  /** The name of the class. */
  override readonly name = 'WorkerDied';
  /** What the host reports: ENOMEM, ERR_WORKER, … */
  readonly code = 'ERR_WORKER_DIED';
}

/** The machine stopped at a broken invariant, or was shut down; it answers no more calls. */
export class MachineStopped extends Error {
  static {
    knowCopies(this, 'MachineStopped');
  }
  /** The name of the class. */
  override readonly name = 'MachineStopped';
}
