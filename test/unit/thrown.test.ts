/** Goal: whatever a program throws becomes text, and a stack shows the program's own frames. */
import { describe, expect, it } from 'vitest';
import { MemoryFault } from '../../workers/wire/errors.ts';
import { thrownStatus } from '../../workers/cpu/runtime/thrown-status.ts';
import { describeThrown, placeIn, stackOf } from '../../workers/wire/thrown.ts';

const refuse = (): never => {
  throw new Error('trap');
};
const hostile = new Proxy(new Error('x'), { get: refuse, getPrototypeOf: refuse });
const error = (fields: PropertyDescriptorMap): Error =>
  Object.defineProperties(new Error('said'), fields);

describe('what was thrown', () => {
  it.each<[unknown, string]>([
    ['text', 'text'],
    [undefined, 'thrown: undefined'],
    [null, 'thrown: [object Null]'],
    [Symbol('s'), 'thrown: Symbol(s)'],
    [7n, 'thrown: 7'],
    [{ a: 1 }, 'thrown: [object Object]'],
    [hostile, 'thrown: an object'],
    [new RangeError('a\nb'), 'RangeError: a'],
    [error({ name: { value: Symbol('n') } }), 'Symbol(n): said'],
    [error({ message: { get: refuse } }), 'Error'],
    [error({ stack: { get: refuse } }), 'Error: said'],
  ])('%#', (thrown, text) => {
    expect(describeThrown(thrown)).toBe(text);
    expect(thrownStatus(thrown)).toMatchObject({ signal: 'SIGABRT', reason: text });
  });

  it('is no fault if a program made it of nonsense', () => {
    const info = { signal: 'SIGFOO', code: 'SEGV_MAPERR', address: 1, access: 'read' };
    expect(thrownStatus(new MemoryFault(info as never))).toMatchObject({ signal: 'SIGABRT' });
  });

  it('is called a stack overflow if it was one', () => {
    const { reason } = thrownStatus(new RangeError('Maximum call stack size exceeded')) as {
      reason: string;
    };
    expect(reason).toMatch(/^stack overflow: RangeError/);
  });
});

describe('a stack', () => {
  it('has causes and errors, and no internal frames', () => {
    const one = new AggregateError([new TypeError('two'), 'three'], 'one', { cause: hostile });
    one.stack = [
      'AggregateError: one',
      '    at main (/home/me/a.ts:2:3)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
      '    at ProcessRunner.run (file:///lib/dist/chunk-ABC123.js:1:2)',
    ].join('\n');
    const lines = stackOf(one)?.split('\n') ?? [];
    expect(lines[1]).toBe('    at main (/home/me/a.ts:2:3)');
    expect(lines[2]).toBe('  [cause]: thrown: an object');
    expect(lines[3]).toBe('  [errors][0]: TypeError: two');
    expect(lines.at(-1)).toBe('  [errors][1]: three');
    expect(placeIn(stackOf(one))).toBe('/home/me/a.ts:2:3');
  });

  it('ends, even if an error is its own cause', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(stackOf(loop)?.match(/Error: loop/g)).toHaveLength(9);
  });

  it.each([
    ['Error\n    at file:///a%20b/c.mjs:4:5', 'file:///a%20b/c.mjs:4:5'],
    ['Error\n    at async main (/x.ts:1:2)', '/x.ts:1:2'],
    ['file:///bad.mjs:2\nconst = 5;\n      ^\nSyntaxError: no', 'file:///bad.mjs:2'],
    ['Error: at no place', undefined],
  ])('names its place: %#', (stack, place) => expect(placeIn(stack)).toBe(place));
});
