/**
 * Errors over comlink. comlink 4.4 keeps only an Error's message, name and stack; class, code
 * and errno are lost. This replaces its 'throw' handler, in every thread that imports this file.
 *
 * Guarantees: the classes of errors.ts and the built-in error classes keep their prototype
 * and every own primitive field, over any number of hops; other errors arrive as Error with their
 * name and fields. Not guaranteed: fields that are objects, `cause`.
 */
import { transferHandlers } from 'comlink';
import type { TransferHandler } from 'comlink';
import { KernelPanic } from '../../shared/panic.ts';
import { describeThrown, isA } from './thrown.ts';
import { MachineStopped, MemoryFault, ProcessKilled, SyscallError, WorkerDied } from './errors.ts';

/** Rebuilt by prototype, not by calling the constructor: its arguments are not on the wire. */
const classes: Readonly<Record<string, { readonly prototype: Error }>> = {
  SyscallError,
  MemoryFault,
  ProcessKilled,
  WorkerDied,
  MachineStopped,
  KernelPanic,
  RangeError,
  TypeError,
  SyntaxError,
  ReferenceError,
};

interface WireError {
  readonly isError: true;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

type WireThrown = WireError | { readonly isError: false; readonly value: unknown };

/** What comlink hands to the handler: the thrown value, marked by a private symbol. */
interface Thrown {
  readonly value: unknown;
}

function isPrimitive(value: unknown): boolean {
  return value === null || !['object', 'function', 'symbol'].includes(typeof value);
}

function serialize({ value }: Thrown): [WireThrown, Transferable[]] {
  if (!isA(value, Error)) {
    return [{ isError: false, value: isPrimitive(value) ? value : describeThrown(value) }, []];
  }
  try {
    const fields = Object.fromEntries(
      Object.entries(value).filter(([, field]) => isPrimitive(field)),
    );
    const { name, message, stack } = value;
    return [{ isError: true, name: String(name), message: String(message), stack, fields }, []];
  } catch {
    // A program's error whose fields throw.
    return [{ isError: false, value: describeThrown(value) }, []];
  }
}

function deserialize(wire: WireThrown): never {
  if (!wire.isError) throw wire.value;
  const error = new Error(wire.message);
  const known = classes[wire.name];
  if (known !== undefined) Object.setPrototypeOf(error, known.prototype);
  else
    Object.defineProperty(error, 'name', { value: wire.name, configurable: true, writable: true });
  Object.assign(error, wire.fields);
  if (wire.stack !== undefined) {
    Object.defineProperty(error, 'stack', {
      value: wire.stack,
      configurable: true,
      writable: true,
    });
  }
  throw error;
}

/** Idempotent; called once by each thread that speaks comlink. */
export function installErrorTransfer(): void {
  const original = transferHandlers.get('throw');
  if (original === undefined) throw new Error('comlink has no throw handler to replace');
  const handler: TransferHandler<Thrown, WireThrown> = {
    // comlink keeps the marking symbol to itself: only its own test can recognise it.
    canHandle: (value): value is Thrown => original.canHandle(value),
    serialize,
    deserialize,
  };
  transferHandlers.set('throw', handler);
}
