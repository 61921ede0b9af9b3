/*
 * Addresses: alignment, constructors and arithmetic. The cases are those of the seeds' memory_addr
 * with usize::MAX replaced by ADDR_MAX, and a check that no bad value passes silently.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as arith from '../../shared/addr/addr-arith.ts';
import * as addr from '../../shared/addr/addr.ts';

const MAX = addr.ADDR_MAX;
const MODULUS = 2n ** 53n;

describe('alignment', () => {
  test.each([
    { at: 0x12345678, align: 0x1000, down: 0x12345000, up: 0x12346000, rest: 0x678 },
    { at: 0x12345000, align: 0x1000, down: 0x12345000, up: 0x12345000, rest: 0 },
    { at: 0x2000, align: 0x1000, down: 0x2000, up: 0x2000, rest: 0 },
    { at: 0x2000, align: 0x10000, down: 0, up: 0x10000, rest: 0x2000 },
    { at: 0x2fff, align: 0x1000, down: 0x2000, up: 0x3000, rest: 0xfff },
    { at: 0x502000, align: 0x100000, down: 0x500000, up: 0x600000, rest: 0x2000 },
    { at: 2 ** 45 + 5, align: 2 ** 40, down: 2 ** 45, up: 2 ** 45 + 2 ** 40, rest: 5 },
    { at: 7, align: 1, down: 7, up: 7, rest: 0 },
  ])('$at aligned to $align', ({ at, align, down, up, rest }) => {
    expect(addr.alignDown(at, align)).toBe(down);
    expect(addr.alignUp(at, align)).toBe(up);
    expect(addr.alignOffset(at, align)).toBe(rest);
    expect(addr.isAligned(at, align)).toBe(rest === 0);
  });

  test('the 4k forms align to pages', () => {
    const at = addr.virtAddr(0x12345678);
    expect(addr.alignDown4k(at)).toBe(0x12345000);
    expect(addr.alignUp4k(at)).toBe(0x12346000);
    expect(addr.alignOffset4k(at)).toBe(0x678);
    expect(addr.isAligned4k(at)).toBe(false);
    expect(addr.isAligned4k(0x502000)).toBe(true);
  });

  test.each([0, 3, -8, 1.5, NaN, Infinity, 2 ** 53, '8', null])(
    'alignment %s is refused',
    (align) => {
      for (const f of [addr.alignDown, addr.alignUp, addr.alignOffset, addr.isAligned]) {
        expect(() => f(0x1000, align as number)).toThrow('an alignment must be a power of two');
      }
    },
  );

  test('aligning up past the highest address is an error, not address 0', () => {
    expect(() => addr.alignUp(MAX, 0x1000)).toThrow(RangeError);
    expect(addr.alignUp(MAX, 1)).toBe(MAX);
    expect(addr.alignDown(MAX, 2 ** 52)).toBe(2 ** 52);
  });

  test('exactly the 53 powers of two up to 2^52 count as such', () => {
    for (let bit = 0; bit <= 52; bit++) {
      expect(addr.isPowerOfTwo(2 ** bit)).toBe(true);
      if (bit > 1) expect(addr.isPowerOfTwo(2 ** bit - 1)).toBe(false);
      if (bit > 0) expect(addr.isPowerOfTwo(2 ** bit + 1)).toBe(false);
    }
    expect(addr.isPowerOfTwo(2 ** 40 + 2 ** 3)).toBe(false);
    expect(addr.isPowerOfTwo(2 ** 53)).toBe(false);
  });
});

describe('constructors', () => {
  const constructors = [
    { name: 'virtAddr', make: addr.virtAddr, max: MAX },
    { name: 'physAddr', make: addr.physAddr, max: MAX },
    { name: 'vpn', make: addr.vpn, max: 2 ** 30 - 1 },
    { name: 'pfn', make: addr.pfn, max: 2 ** 20 - 1 },
  ];
  test.each(constructors)('$name accepts its whole range and nothing else', ({ make, max }) => {
    for (const good of [0, 1, max]) expect(make(good)).toBe(good);
    for (const bad of [-1, 0.5, NaN, Infinity, -Infinity, max + 1]) {
      expect(() => make(bad)).toThrow(RangeError);
    }
    for (const bad of ['1', 1n, null, undefined, {}]) {
      expect(() => make(bad as number)).toThrow(TypeError);
    }
  });

  test('the error says what was wrong', () => {
    expect(() => addr.virtAddr(-1)).toThrow(
      'a virtual address must be an integer in 0..9007199254740991, not -1',
    );
    expect(() => addr.pfn('7' as unknown as number)).toThrow(
      'a frame number must be a number, not string',
    );
  });

  test('formats', () => {
    expect(addr.formatAddr(0x1abc)).toBe('VA:0x1abc');
    expect(addr.formatAddr(0x1abc, 'PA')).toBe('PA:0x1abc');
    expect(addr.formatAddr(0x1abc, 'EA', true)).toBe('EA:0x1ABC');
  });
});

describe('arithmetic', () => {
  test('0x1234 plus and minus 0x100 in every family', () => {
    const at = addr.virtAddr(0x1234);
    for (const f of [arith.offset, arith.wrappingOffset]) {
      expect(f(at, 0x100)).toBe(0x1334);
      expect(f(at, -0x100)).toBe(0x1134);
    }
    expect(arith.offsetFrom(addr.virtAddr(0x1334), at)).toBe(0x100);
    expect(arith.offsetFrom(at, addr.virtAddr(0x1334))).toBe(-0x100);
    for (const f of [arith.add, arith.wrappingAdd, arith.checkedAdd]) {
      expect(f(at, 0x100)).toBe(0x1334);
    }
    for (const f of [arith.sub, arith.wrappingSub, arith.checkedSub]) {
      expect(f(at, 0x100)).toBe(0x1134);
    }
    for (const f of [arith.subAddr, arith.wrappingSubAddr, arith.checkedSubAddr]) {
      expect(f(0x1334, 0x1234)).toBe(0x100);
    }
  });

  test('the wrapping family wraps at the highest address and back', () => {
    const base = MAX - 0x100;
    const after = 0xff;
    expect(arith.wrappingOffset(base, 0x200)).toBe(after);
    expect(arith.wrappingOffset(after, -0x200)).toBe(base);
    expect(arith.wrappingAdd(base, 0x200)).toBe(after);
    expect(arith.wrappingSub(after, 0x200)).toBe(base);
    expect(arith.wrappingSubAddr(after, base)).toBe(0x200);
  });

  test('the checked family gives null instead of wrapping', () => {
    expect(arith.checkedSub(0x100, 0x50)).toBe(0xb0);
    expect(arith.checkedSub(0x100, 0x200)).toBeNull();
    expect(arith.checkedAdd(MAX - 0x100, 0x50)).toBe(MAX - 0xb0);
    expect(arith.checkedAdd(MAX - 0x100, 0x200)).toBeNull();
    expect(arith.checkedSubAddr(MAX - 0x100, 0x100)).toBe(MAX - 0x200);
    expect(arith.checkedSubAddr(0x100, MAX - 0x100)).toBeNull();
  });

  test('the overflowing family gives the wrapped value and a flag', () => {
    expect(arith.overflowingAdd(MAX - 0x100, 0x50)).toEqual([MAX - 0xb0, false]);
    expect(arith.overflowingAdd(MAX - 0x100, 0x200)).toEqual([0xff, true]);
    expect(arith.overflowingSub(0x100, 0x50)).toEqual([0xb0, false]);
    expect(arith.overflowingSub(0x100, 0x200)).toEqual([MAX - 0xff, true]);
    expect(arith.overflowingSubAddr(MAX - 0x100, 0x100)).toEqual([MAX - 0x200, false]);
    expect(arith.overflowingSubAddr(0x100, MAX - 0x100)).toEqual([0x201, true]);
  });

  test.each([
    { name: 'offset past the top', run: (): unknown => arith.offset(MAX, 1) },
    { name: 'offset below 0', run: (): unknown => arith.offset(0, -1) },
    { name: 'offsetFrom too far up', run: (): unknown => arith.offsetFrom(MAX, 0) },
    { name: 'offsetFrom too far down', run: (): unknown => arith.offsetFrom(0, MAX) },
    { name: 'add past the top', run: (): unknown => arith.add(MAX, 1) },
    { name: 'sub below 0', run: (): unknown => arith.sub(0, 1) },
    { name: 'subAddr below 0', run: (): unknown => arith.subAddr(0, 1) },
  ])('$name is an error', ({ run }) => {
    expect(run).toThrow(RangeError);
  });

  test('every function refuses what is no address', () => {
    const binary = Object.entries(arith).filter(([, value]) => typeof value === 'function');
    expect(binary).toHaveLength(15);
    for (const [, f] of binary as [string, (left: unknown, right: unknown) => unknown][]) {
      for (const bad of [NaN, 0.5, 2 ** 53, -(2 ** 53), '1', null]) {
        expect(() => f(bad, 1)).toThrow();
        expect(() => f(1, bad)).toThrow();
      }
    }
  });

  test('wrapping arithmetic is arithmetic modulo 2^53', () => {
    const any = fc.oneof(
      fc.maxSafeNat(),
      fc.constantFrom(0, 1, 2 ** 52 - 1, 2 ** 52, 2 ** 52 + 1, MAX - 1, MAX),
    );
    fc.assert(
      fc.property(any, any, (left, right) => {
        const sum = BigInt(left) + BigInt(right);
        const difference = BigInt(left) - BigInt(right);
        expect(BigInt(arith.wrappingAdd(left, right))).toBe(sum % MODULUS);
        expect(BigInt(arith.wrappingSub(left, right))).toBe((difference + MODULUS) % MODULUS);
        expect(arith.checkedAdd(left, right) === null).toBe(sum >= MODULUS);
        expect(arith.checkedSub(left, right) === null).toBe(difference < 0n);
      }),
      { seed: 1 },
    );
  });
});
