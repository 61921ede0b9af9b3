/** Goal: bulk accesses take real byte arrays only, and call no method of a program's. */
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../workers/cpu/memory/byte-array.ts';

class Spy extends Uint8Array {
  override set(): void {
    throw new Error('called');
  }
}
class Pixels extends Uint8Array {}
class SpyDown extends Pixels {
  override get length(): number {
    return 1e9;
  }
}

describe('an array of bytes', () => {
  it.each<[string, unknown]>([
    ['text', 'text'],
    ['null', null],
    ['a number', 16],
    ['an array', [1, 2]],
    ['wider', new Uint16Array(4)],
    ['signed', new Int8Array(4)],
    ['clamped', new Uint8ClampedArray(4)],
    ['a view', new DataView(new ArrayBuffer(4))],
    ['a buffer', new ArrayBuffer(4)],
    ['a look-alike', { length: 4, set: () => {}, [Symbol.toStringTag]: 'Uint8Array' }],
    ['a child of one', Object.create(new Uint8Array(4))],
    ['a proxy', new Proxy(new Uint8Array(4), {})],
    ['a subclass with its own methods', new Spy(4)],
    ['one further down', new SpyDown(4)],
  ])('is not %s', (_name, value) => {
    expect(() => bytesOf('write', value)).toThrow(/^mem\.write: expected a Uint8Array, got /);
    expect(() => bytesOf('write', value)).toThrow(TypeError);
  });

  it('is taken as it is, a Buffer or a subclass as the bytes in it', () => {
    const plain = Uint8Array.of(1, 2, 3);
    expect(bytesOf('read', plain)).toBe(plain);
    for (const like of [Buffer.from([1, 2, 3]), Pixels.of(1, 2, 3)]) {
      const bytes = bytesOf('read', like);
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      bytes[1] = 9;
      expect([...like]).toEqual([1, 9, 3]);
    }
  });
});
