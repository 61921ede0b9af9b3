/** Goal: a wrong option of spawn, clone or wait is refused at the call, by its name. */
import { describe, expect, it } from 'vitest';
import { checkKinds, checkModule } from '../../workers/boot/check-options.ts';
import { cloneRequest, spawnRequest } from '../../workers/boot/spawn-request.ts';
import { checkTimeout, until } from '../../workers/boot/until.ts';

const url = 'file:///a.js';

describe('spawn and clone', () => {
  it.each<[unknown, string]>([
    [{ arg: [] }, "spawn: unknown option 'arg'; known: args, name"],
    [{ constructor: 1 }, "spawn: unknown option 'constructor'"],
    [{ args: 'abc' }, "spawn: args must be an array, got 'abc'"],
    [{ args: null }, 'spawn: args must be an array, got null'],
    [{ args: { length: 2 } }, 'spawn: args must be an array, got an object'],
    [{ name: 5 }, 'spawn: name must be a string, got 5'],
    [{ dedicated: 'no' }, "spawn: dedicated must be true or false, got 'no'"],
    [{ inherit: 1 }, 'spawn: inherit must be true or false, got 1'],
    [{ signal: new AbortController().signal }, "spawn: unknown option 'signal'"],
    [null, 'spawn: options must be an object, got null'],
    [['x'], 'spawn: options must be an object, got an array'],
    ['x', "spawn: options must be an object, got 'x'"],
    [5, 'spawn: options must be an object, got 5'],
  ])('refuse %j', (options, message) => {
    const spawn = (): unknown => spawnRequest(url, options as never);
    expect(spawn).toThrow(TypeError);
    expect(spawn).toThrow(message);
    const clone = (): unknown => cloneRequest(url, 'entry', options as never);
    if (!message.includes('inherit'))
      expect(clone).toThrow(message.split(';')[0]!.replace('spawn', 'clone'));
  });

  it('take an option that is undefined as absent', () => {
    const options = { args: undefined, name: undefined, nice: undefined, memoryMax: undefined };
    expect(spawnRequest(url, options as never)).toEqual(spawnRequest(url, {}));
  });
});

describe('a module', () => {
  it.each([5, null, undefined, '', {}, [], () => 0])('is not %s', (value) => {
    expect(() => checkModule('spawn: module', value)).toThrow(
      /^spawn: module must be a URL or a string, got /,
    );
  });

  it('is a URL or a string', () => {
    expect(() => checkModule('spawn: module', new URL(url))).not.toThrow();
    expect(() => checkModule('spawn: module', './a.js')).not.toThrow();
  });
});

describe('boot', () => {
  it('refuses a function that is none', () => {
    expect(() => checkKinds('boot', { onPrint: 5 }, { onPrint: 'function' })).toThrow(
      new TypeError('boot: onPrint must be a function, got 5'),
    );
  });
});

describe('until', () => {
  const never = new Promise<never>(() => {});

  it('rejects when the time is over, and says for what', async () => {
    const waiting = until(never, { timeout: 5 }, 'process 3 has not ended');
    await expect(waiting).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'process 3 has not ended after 5 ms',
    });
  });

  it("rejects with the signal's reason, also when it has aborted before", async () => {
    const controller = new AbortController();
    const waiting = until(never, { signal: controller.signal }, '');
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(until(never, { signal: controller.signal }, '')).rejects.toBe(reason);
  });

  it('settles as the promise does, and leaves no listener', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (
      listeners--,
      remove(...args)
    );
    await expect(until(Promise.resolve(7), { signal, timeout: 1000 }, '')).resolves.toBe(7);
    const failure = new Error('no');
    await expect(until(Promise.reject(failure), { signal }, '')).rejects.toBe(failure);
    expect(listeners).toBe(0);
  });

  it.each([-1, NaN, Infinity, 2 ** 31, '5', null])('refuses a timeout of %s', (timeout) => {
    expect(() => checkTimeout('wait', timeout)).toThrow(RangeError);
  });
});
