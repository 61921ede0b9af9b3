/**
 * Keeps the language's own objects as they are, in a thread where programs of others run: a program
 * that replaces `Map.prototype.get`, `Math.floor` or `Atomics.load`, by accident or by a polyfill,
 * would change the kernel under all processes of its Worker. It gets a TypeError instead.
 *
 * What exists cannot be replaced or deleted; to prototypes and constructors anything may be added.
 * The prototypes of `Object`, `Function` and `Error` stay open: programs assign such names to
 * their own objects (`error.name = …`), which a locked property of a prototype would refuse.
 *
 * `Array` stays open because V8 takes a fifth longer for a fault with any property of its prototype
 * locked. For the same reason namespaces are frozen: locked one by one, they make it half as long
 * again (`bench --row fault`).
 */

/** Namespaces, to which nothing can be added either. */
// eslint-disable-next-line no-restricted-syntax -- No access: the functions are locked.
const namespaces: readonly object[] = [Math, Atomics, Reflect, JSON];

/** Constructors and prototypes whose properties are locked. */
function lockedObjects(): object[] {
  const typedArray = Object.getPrototypeOf(Uint8Array) as { prototype: object };
  const constructors = [
    ...[Map, Set, WeakMap, WeakSet, Promise, DataView, ArrayBuffer, SharedArrayBuffer],
    ...[Int32Array, Uint8Array, Float64Array, BigUint64Array, Number, BigInt],
  ];
  return [
    ...[typedArray, typedArray.prototype],
    ...constructors,
    ...constructors.map(({ prototype }) => prototype as object),
  ];
}

/** Properties that programs assign to objects of their own which inherit them. */
const assigned = new Set<string | symbol>(['constructor', 'toString', 'toLocaleString', 'valueOf']);

/** Globals that the Worker's own code uses at any time. */
const globals = [
  ...['Array', 'ArrayBuffer', 'Atomics', 'BigInt', 'BigUint64Array', 'DataView', 'Error'],
  ...['Float64Array', 'Int32Array', 'JSON', 'Map', 'Math', 'Number', 'Object'],
  ...['Promise', 'Proxy', 'RangeError', 'Reflect', 'Set', 'SharedArrayBuffer', 'String', 'Symbol'],
  ...['TypeError', 'URL', 'Uint8Array', 'WeakMap', 'WeakSet', 'performance'],
];

function lock(object: object, name: string | symbol): void {
  const property = Object.getOwnPropertyDescriptor(object, name);
  if (property?.configurable !== true) return;
  if ('value' in property) Object.defineProperty(object, name, { writable: false });
  Object.defineProperty(object, name, { configurable: false });
}

/** Before any program is loaded; idempotent. */
export function lockIntrinsics(): void {
  for (const object of lockedObjects()) {
    for (const name of Reflect.ownKeys(object)) {
      if (!assigned.has(name)) lock(object, name);
    }
  }
  for (const object of namespaces) Object.freeze(object);
  for (const name of globals) lock(globalThis, name);
}
