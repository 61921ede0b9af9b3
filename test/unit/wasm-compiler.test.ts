/**
 * The compiler from the kernel's TypeScript to WebAssembly: each construct does what JavaScript
 * does, and what is outside the subset is refused with its file and line.
 */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { Refusal, compileRoots } from '../../build/wasm/index.ts';
import { CONSTRUCTS, REFUSALS } from '../support/compiler-cases.ts';
import { TwoBuilds, smallKernel } from '../support/small-kernel.ts';

const HEAD = `import { panic, assert } from './shared/panic.ts';
import * as M from './shared/atomics.ts';
import { peek, poke, load, store, add, or, and, exchange } from './shared/atomics.ts';
import { compareExchange } from './shared/atomics.ts';
import { wait, notify, pause, fillWords, copyWords, strange } from './shared/atomics.ts';
import { outside, TlbState } from './cpu.ts';
import type { Cpu, Cursor, VirtAddr } from './cpu.ts';
const SHIFT = 4;
const SIZE = 1 << SHIFT;
export const TABLE = { low: 3, high: SIZE * 2 };
function computed(): number { return 40 + 2; }
export const COMPUTED = computed();
`;

function codeOf(cases: Readonly<Record<string, { readonly code: string }>>): string {
  return HEAD + Object.values(cases).reduce((all, { code }) => `${all}${code.trim()}\n`, '');
}

describe('constructs', () => {
  const names = Object.keys(CONSTRUCTS);
  const kernel = smallKernel(codeOf(CONSTRUCTS), names);
  const builds = new TwoBuilds(kernel, compileRoots(kernel.program, kernel.target.roots));
  afterAll(() => rmSync(kernel.target.root, { recursive: true }));

  it.each(names)('%s', (name) => {
    for (const values of CONSTRUCTS[name]?.calls ?? []) {
      for (const protocol of [0, 1]) {
        const [js, wasm] = [false, true].map((isCompiled) => {
          const cpu = builds.cpu(isCompiled, protocol);
          let result: unknown;
          try {
            result = cpu.call(name, values);
          } catch (error) {
            result = (error as Error).message;
          }
          if (typeof result === 'boolean') result = Number(result);
          const { phase, isIdle } = cpu.cpu;
          // Without the scratch memory of stacks, which JavaScript's arrays do not have.
          return { result, phase, isIdle, words: [...cpu.words.subarray(0, 3072)] };
        });
        expect(wasm, `${name}(${values.join(', ')})`).toEqual(js);
      }
    }
  });
});

describe('refusals', () => {
  const names = Object.keys(REFUSALS);
  const text = codeOf(REFUSALS);
  const kernel = smallKernel(text, names);
  const lines = text.split('\n');
  afterAll(() => rmSync(kernel.target.root, { recursive: true }));

  it.each(names)('%s', (name) => {
    const line = lines.findIndex((code) => code.includes(` ${name}(`)) + 1;
    const { says, at = 0 } = REFUSALS[name] as (typeof REFUSALS)[string];
    let thrown: unknown;
    try {
      compileRoots(kernel.program, [`code.ts#${name}`]);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refusal);
    expect((thrown as Refusal).message).toBe(`code.ts:${line + at}: ${says}`);
  });
});
