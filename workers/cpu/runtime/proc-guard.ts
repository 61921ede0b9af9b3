/**
 * Guards a process's promises against its end: a call under way when the process ends never
 * settles, so it cannot resume an ended program.
 */
import { CallSite } from './call-site.ts';
import { reserveStack } from '../memory/stack-reserve.ts';
import { SyscallError, ProcessKilled } from '../../wire/errors.ts';

/** Runs a function now or later. */
export type Resume = (run: () => void) => void;

export class ProcGuard {
  readonly pid: number;
  readonly #resume: Resume;
  readonly #onCallAfterEnd: () => void;
  /** How the process ended: a signal's name or 'exit'; null while it lives. */
  #ending: string | null = null;
  /** Errors that this process's calls threw or rejected with. */
  readonly #errors = new WeakSet<object>();

  /** `resume` lets the process go on when it is its turn. */
  constructor(pid: number, resume: Resume = (run) => run(), onCallAfterEnd: () => void = () => {}) {
    this.pid = pid;
    this.#resume = resume;
    this.#onCallAfterEnd = onCallAfterEnd;
  }

  get isOver(): boolean {
    return this.#ending !== null;
  }

  end(how: string): void {
    this.#ending ??= how;
  }

  /**
   * Before the process does anything but compute: throws ProcessKilled once it has ended, and
   * RangeError when its stack does not suffice.
   */
  check(): void {
    reserveStack();
    if (this.#ending !== null) this.#refuse(this.#ending);
  }

  /** Whether a call of this process failed with `error`. */
  owns(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#errors.has(error);
  }

  /** Runs a call of the process and remembers what it throws. */
  sync<Value>(call: () => Value): Value {
    try {
      return call();
    } catch (error) {
      this.#own(error);
      throw error;
    }
  }

  /** The promise, as long as the process lives; it settles when `resume` says so. */
  async<Value>(start: () => Promise<Value>, resume: Resume = this.#resume): Promise<Value> {
    // It does not reject: a program that retries in a loop would never give up the Worker.
    if (this.#ending !== null) return new Promise(() => {});
    reserveStack();
    // 1 us; not for calls that only give up the turn, which last no longer.
    const site = resume === this.#resume ? new CallSite() : null;
    return new Promise((resolve, reject) => {
      start().then(
        (value) => this.#goOn(resume, () => resolve(value)),
        (error: Error) => {
          site?.claim(error);
          this.#own(error);
          this.#goOn(resume, () => reject(error));
        },
      );
    });
  }

  #goOn(resume: Resume, settle: () => void): void {
    if (this.#ending !== null) return;
    resume(() => {
      if (this.#ending === null) settle();
    });
  }

  #refuse(ending: string): never {
    this.#onCallAfterEnd();
    throw new ProcessKilled(this.pid, ending);
  }

  #own(error: unknown): void {
    if (typeof error === 'object' && error !== null) this.#errors.add(error);
  }
}

/** A syscall's result, or its errno as an exception. */
export function checkResult<Value>(syscall: string, result: Value | number): Value {
  if (typeof result === 'number' && result < 0) throw new SyscallError(syscall, -result);
  return result as Value;
}

/** Syscalls take numbers; anything else is a mistake of the program, not of the machine's user. */
export function checkNumbers(syscall: string, args: readonly unknown[]): void {
  const wrong = args.findIndex((arg) => typeof arg !== 'number');
  if (wrong >= 0) {
    throw new TypeError(
      `${syscall}: argument ${wrong + 1} must be a number, got ${typeof args[wrong]}`,
    );
  }
}
