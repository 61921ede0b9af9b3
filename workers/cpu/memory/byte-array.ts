/**
 * The arrays that bulk accesses read and write: real Uint8Arrays. Anything else is refused before a
 * byte is copied: a look-alike's methods would be handed a view of the whole machine, a wider
 * array's length counts no bytes, and a string cannot be written.
 */

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** The getter of a typed array, which no program's property can stand in for. */
function getter<Value>(name: string | symbol): (array: unknown) => Value {
  const { get } = Object.getOwnPropertyDescriptor(typedArray, name) as { get: () => Value };
  return (array) => Reflect.apply(get, array, []);
}

const kindOf = getter<string | undefined>(Symbol.toStringTag);
const bufferOf = getter<ArrayBuffer | SharedArrayBuffer>('buffer');
const offsetOf = getter<number>('byteOffset');
const lengthOf = getter<number>('byteLength');
const getPrototypeOf = Object.getPrototypeOf as (value: unknown) => object | null;

/** What a subclass must leave alone, for us to take it as an array of bytes. */
const methods = ['set', 'subarray', 'fill', 'copyWithin', 'length', 'buffer', 'byteOffset'];

/** Node's own subclass, which has a `subarray` and a `fill` of its own. */
const nodeBuffer = (globalThis as { Buffer?: { prototype: object } }).Buffer?.prototype ?? null;

function isOverridden(array: Uint8Array): boolean {
  let prototype = getPrototypeOf(array);
  if (prototype === Uint8Array.prototype || prototype === nodeBuffer) return false;
  // The prototype of every realm's Uint8Array has this property, and no subclass.
  while (prototype !== null && !Object.hasOwn(prototype, 'BYTES_PER_ELEMENT')) {
    if (prototype === nodeBuffer) return false;
    const here = prototype;
    if (methods.some((name) => Object.hasOwn(here, name))) return true;
    prototype = getPrototypeOf(prototype);
  }
  return prototype === null;
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return kindOf(value) ?? 'an object that is none';
}

/**
 * The bytes of `array`, as a view that has only the engine's own methods. TypeError unless it is a
 * Uint8Array or a Node Buffer; `what` names the call.
 */
export function bytesOf(what: string, array: unknown): Uint8Array {
  if (typeof array !== 'object' || array === null || kindOf(array) !== 'Uint8Array') {
    throw new TypeError(`mem.${what}: expected a Uint8Array, got ${describe(array)}`);
  }
  const bytes = array as Uint8Array;
  if (getPrototypeOf(bytes) === Uint8Array.prototype) return bytes;
  if (isOverridden(bytes)) {
    throw new TypeError(`mem.${what}: expected a Uint8Array, got a subclass with its own methods`);
  }
  return new Uint8Array(bufferOf(bytes), offsetOf(bytes), lengthOf(bytes));
}
