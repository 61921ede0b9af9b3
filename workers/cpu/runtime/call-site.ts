/**
 * Where a program made a call that fails later. The error is made when the answer comes, with no
 * code of the program on the stack; it gets the stack of the call.
 */
import { SyscallError } from '../../wire/errors.ts';

export class CallSite {
  readonly #at = new Error();

  /** Gives the error of the call its stack, which is made only if somebody reads it. */
  claim(error: unknown): void {
    if (!(error instanceof SyscallError)) return;
    const text = `${error.name}: ${error.message}`;
    const at = this.#at;
    Object.defineProperty(error, 'stack', {
      get: () => [text, ...String(at.stack).split('\n').slice(1)].join('\n'),
      configurable: true,
    });
  }
}
