/**
 * Checks what callers pass as options, where TypeScript has not: a misspelt or mistyped option
 * would be ignored silently, or fail far from the call. Each error names the call and the option.
 */

/** What an option may be, besides absent. */
export type OptionKind =
  'string' | 'boolean' | 'function' | 'array' | 'object' | 'signal' | 'module' | 'any';

const isOfKind: Readonly<Record<OptionKind, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  function: (value) => typeof value === 'function',
  array: (value) => Array.isArray(value),
  object: isObject,
  signal: (value) => value instanceof AbortSignal,
  module: isModule,
  // Checked by who uses it.
  any: () => true,
};

const kindNames: Readonly<Record<OptionKind, string>> = {
  string: 'a string',
  boolean: 'true or false',
  function: 'a function',
  array: 'an array',
  object: 'an object',
  signal: 'an AbortSignal',
  module: 'a URL or a string',
  any: 'anything',
};

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isModule(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  // Not `instanceof URL`: test environments have URLs of their own.
  return typeof (value as Partial<URL> | null | undefined)?.href === 'string';
}

/** A value in one short line, for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Throws TypeError for options that `call` does not have, and for values of another kind. */
export function checkKinds(
  call: string,
  options: unknown,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  if (!isObject(options)) {
    throw new TypeError(`${call}: options must be an object, got ${shown(options)}`);
  }
  for (const [name, value] of Object.entries(options as object)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const known = Object.keys(kinds).join(', ');
      throw new TypeError(`${call}: unknown option '${name}'; known: ${known}`);
    }
    if (value !== undefined && !isOfKind[kind](value)) {
      throw new TypeError(`${call}: ${name} must be ${kindNames[kind]}, got ${shown(value)}`);
    }
  }
}

/** Throws TypeError unless `value` can name a module. */
export function checkModule(what: string, value: unknown): void {
  if (isModule(value)) return;
  throw new TypeError(`${what} must be ${kindNames.module}, got ${shown(value)}`);
}
