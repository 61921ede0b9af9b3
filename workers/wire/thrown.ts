/**
 * What a program threw, as text. It may be anything: a Proxy whose traps throw, an error whose
 * `message` is a getter that throws, one whose `name` is a symbol. Nothing here throws.
 */

/** Most characters of a stack, most causes in a row, and most errors of an AggregateError. */
const STACK_MAX = 16384;
const CAUSES_MAX = 8;
const ERRORS_MAX = 8;

/** Frames of the engine's host and of this library: a program's author has no use for them. */
const INTERNAL_FRAME = /\bnode:internal\/|\/(?:chunk-\w+|cpu-worker)\.js:|<anonymous>\)$/;

/** A module given as text: its URL is the text. */
const DATA_URL = /(data:[\w/+;=-]*,)\S+?(?=:\d+:\d+\)?$)/gm;

/** The result of `read`, or `otherwise` if that throws. */
function tryTo<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** `instanceof` for anything. */
export function isA<Class>(
  thrown: unknown,
  type: abstract new (...args: never[]) => Class,
): thrown is Class {
  return tryTo(() => thrown instanceof type, false);
}

/** One line that says what was thrown, whatever it was. */
export function describeThrown(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (!isA(thrown, Error)) {
    // Not String() for all: an object may throw from its own toString.
    const isPlain = ['number', 'bigint', 'boolean', 'undefined', 'symbol'].includes(typeof thrown);
    const show = isPlain ? String : (value: unknown) => Object.prototype.toString.call(value);
    return `thrown: ${tryTo(() => show(thrown), 'an object')}`;
  }
  const name = tryTo(() => String(thrown.name), '') || 'Error';
  const message = tryTo(() => String(thrown.message), '');
  const line = message.split('\n', 1)[0] ?? '';
  return line === '' ? name : `${name}: ${line}`;
}

/** The stack as the engine made it; '' for what has none. */
export function rawStackOf(thrown: unknown): string {
  return isA(thrown, Error) ? tryTo(() => String(thrown.stack), '') : '';
}

/**
 * The stack of an error and of those that caused it, as Node prints them, without internal frames;
 * undefined for what has no stack. Lines are the sources', where the host knows their source maps.
 */
export function stackOf(thrown: unknown): string | undefined {
  if (!isA(thrown, Error)) return undefined;
  const text = linesOf(thrown, 0).join('\n');
  return text.length > STACK_MAX ? `${text.slice(0, STACK_MAX)}…` : text;
}

function linesOf(thrown: unknown, depth: number): string[] {
  if (!isA(thrown, Error)) return [describeThrown(thrown)];
  const stack = rawStackOf(thrown).replace(DATA_URL, '$1…');
  const lines = (stack === '' ? describeThrown(thrown) : stack).split('\n');
  const shown = lines.filter((line) => !/^\s+at /.test(line) || !INTERNAL_FRAME.test(line));
  if (depth >= CAUSES_MAX) return shown;
  const cause = tryTo(() => thrown.cause, undefined);
  if (cause !== undefined) shown.push(...nested('[cause]', cause, depth));
  const errors = tryTo(() => [...((thrown as AggregateError).errors as unknown[])], []);
  for (const [index, error] of errors.slice(0, ERRORS_MAX).entries()) {
    shown.push(...nested(`[errors][${index}]`, error, depth));
  }
  return shown;
}

function nested(label: string, thrown: unknown, depth: number): string[] {
  const [first = '', ...others] = linesOf(thrown, depth + 1);
  return [`  ${label}: ${first}`, ...others.map((line) => `  ${line}`)];
}

/** Where an error came from: the place in the first frame of its stack, 'FILE:LINE:COLUMN'. */
export function placeIn(stack: string | undefined): string | undefined {
  const frame = stack?.split('\n').find((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  // A SyntaxError has the place in front of it instead.
  const ahead = /^\S+:\d+$/.exec(stack?.split('\n', 1)[0] ?? '')?.[0];
  return ahead ?? /(?:\(|at (?:async )?)([^()]*:\d+:\d+)\)?$/.exec(frame ?? '')?.[1];
}
