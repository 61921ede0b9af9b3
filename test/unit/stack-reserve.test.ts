/** Goal: the probe asks for the whole reserve, whether the engine has optimized it or not. */
import { expect, it } from 'vitest';
import { STACK_RESERVE_BYTES, reserveStack } from '../../workers/cpu/memory/stack-reserve.ts';

/** Frames of `down` that fit below the first one at which the probe refuses. */
function framesLeft(): number {
  let refused = -1;
  let deepest = 0;
  const down = (depth: number): number => {
    deepest = depth;
    if (refused < 0) {
      try {
        reserveStack();
      } catch {
        refused = depth;
      }
    }
    return down(depth + 1) + 1;
  };
  expect(() => down(0)).toThrow(RangeError);
  expect(refused).toBeGreaterThan(0);
  return deepest - refused;
}

it('is the same before and after it is optimized', () => {
  // A frame of `down` takes less than 256 bytes, however it was compiled.
  const least = STACK_RESERVE_BYTES / 256;
  expect(framesLeft()).toBeGreaterThan(least);
  for (let i = 0; i < 20_000; i++) reserveStack();
  expect(framesLeft()).toBeGreaterThan(least);
});
