/**
 * Goal: whatever a program throws, wherever it throws it, ends that program alone, with its reason
 * and its place; and nothing that it does to the language's own objects reaches its neighbours.
 * Method: all programs run on one CPU, one after the other, beside two neighbours, one of which was
 * there before and one after the first of them.
 */
import type { MachineHandle, Proc, ProcessHandle } from 'faultline';
import { describe, expect, it } from 'vitest';
import { expectClean, module, program, start } from '../support/worker-programs.ts';

const neighbour = program(async (proc: Proc) => {
  const at = await proc.mmap(0, 4096, RW, ANON);
  for (let round = 0; ; round++) {
    proc.mem.store32(at, round);
    if (proc.mem.load32(at) !== round) return 1;
    await proc.nanosleep(1e6);
  }
});

const forever = 'await proc.nanosleep(1e12);';
const refusing = '{ get() { throw 1; }, getPrototypeOf() { throw 2; } }';

/** Body of a program, and the reason of its end. */
const bodies: readonly [string, string, string][] = [
  ['a Proxy', `throw new Proxy({}, ${refusing});`, 'thrown: an object'],
  ['a Proxy of an Error', `throw new Proxy(new Error(), ${refusing});`, 'thrown: an object'],
  ['null', 'throw null;', 'thrown: [object Null]'],
  ['a symbol', "throw Symbol('s');", 'thrown: Symbol(s)'],
  [
    'an error whose message throws',
    "throw Object.defineProperty(new Error(), 'message', { get() { throw 1; } });",
    'Error',
  ],
  [
    'an error with a symbol for a name',
    "throw Object.assign(new Error('x'), { name: Symbol('n') });",
    'Symbol(n): x',
  ],
  [
    'by its result',
    'return { valueOf() { throw new RangeError("v"); } };',
    'TypeError: the program returned an object; ' +
      'an exit code is an integer from 0 to 255, or nothing for 0',
  ],
  ['in a timer', `setTimeout(() => { throw new Error('t'); }); ${forever}`, 'Error: t'],
  ['null in a timer', `setTimeout(() => { throw null; }); ${forever}`, 'thrown: [object Null]'],
  [
    'a Proxy in a timer',
    `setTimeout(() => { throw new Proxy({}, ${refusing}); }); ${forever}`,
    'thrown: an object',
  ],
  ['in a microtask', `queueMicrotask(() => { throw new Error('m'); }); ${forever}`, 'Error: m'],
  ['at the next tick', `process.nextTick(() => { throw new Error('n'); }); ${forever}`, 'Error: n'],
  ['a rejection', `Promise.reject(new Error('r')); ${forever}`, 'Error: r'],
  ['a rejection of nothing', `Promise.reject(); ${forever}`, 'thrown: undefined'],
  ['in a promise', `(async () => { await null; throw new Error('p'); })(); ${forever}`, 'Error: p'],
  [
    'in a timer of a handler',
    `proc.sigaction('SIGUSR1', () => setTimeout(() => { throw new Error('h'); }));
     await proc.kill(proc.pid, 'SIGUSR1'); await sleep(60_000);`,
    'Error: h',
  ],
  ['process.exit', 'process.exit(5);', 'Error: process.exit(5) was called, not proc.exit'],
  [
    'process.exit in a timer',
    `setTimeout(() => process.exit(5)); ${forever}`,
    'Error: process.exit(5) was called, not proc.exit',
  ],
];

/** Statements that would break the kernel or the runtime, were they carried out. */
const patches: readonly string[] = [
  'Math.floor = () => 7',
  'Math.min = undefined',
  'Atomics.load = () => 0',
  'Atomics.compareExchange = () => 0',
  'Int32Array.prototype.set = () => {}',
  'Uint8Array.prototype.subarray = () => {}',
  'Object.getPrototypeOf(Int32Array.prototype).fill = () => {}',
  'delete Object.getPrototypeOf(Int32Array.prototype).copyWithin',
  'Map.prototype.get = () => undefined',
  'Set.prototype.add = () => {}',
  'WeakMap.prototype.get = () => undefined',
  'Promise.prototype.then = () => {}',
  'Number.isInteger = () => true',
  'globalThis.Map = class {}',
  'globalThis.Atomics = {}',
  'globalThis.Promise = class {}',
  'proc.mem.load32 = () => 0',
  'Object.assign(proc.mem, { store32() {} })',
];

async function besides(machine: MachineHandle): Promise<ProcessHandle> {
  return machine.spawn(neighbour);
}

async function expectAlive(neighbours: readonly ProcessHandle[]): Promise<void> {
  for (const one of neighbours) {
    await one.kill();
    expect(await one.wait()).toEqual({ signal: 'SIGKILL' });
  }
}

describe('a program that throws', () => {
  it('ends alone, whatever it throws and wherever', async () => {
    const { machine } = await start({ cpus: 1 });
    const neighbours = [await besides(machine)];
    for (const [name, body, reason] of bodies) {
      const child = await machine.spawn(module(`export default async (proc) => { ${body} };`));
      expect([name, await child.wait()]).toMatchObject([name, { signal: 'SIGABRT', reason }]);
      if (neighbours.length < 2) neighbours.push(await besides(machine));
    }
    await expectAlive(neighbours);
    expect((await machine.dmesg()).join('\n')).not.toContain('lost its Worker');
    await expectClean(machine);
  });

  it('ends alone if it was the first one, too, and leaves timers that throw', async () => {
    const { machine } = await start({ cpus: 1 });
    const first = await machine.spawn(
      program((_proc: Proc) => {
        let count = 0;
        setInterval(() => {
          if (count++ < 20) throw new Error('left behind');
        }, 5);
        throw new Error('first');
      }),
    );
    const second = await besides(machine);
    expect(await first.wait()).toMatchObject({ signal: 'SIGABRT', reason: 'Error: first' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expectAlive([second]);
    await expectClean(machine);
  });

  it('says where, also for a call that failed later and for a fault', async () => {
    const { machine } = await start({ cpus: 1 });
    const source = (line: string): string =>
      `data:text/javascript,export default async (proc) => {%0A${encodeURIComponent(line)}%0A}`;
    for (const line of [
      'throw new Error(1)',
      'await proc.munmap(1, 1)',
      'proc.local.munmap(1, 1)',
      'proc.sync.munmap(1, 1)',
      'proc.mem.load8(5)',
      'await proc.wait(77)',
    ]) {
      const status = await (await machine.spawn(source(line))).wait();
      const { stack = '' } = status as { stack?: string };
      expect(stack).toMatch(/^\S+: .*\n {4}at .*data:text\/javascript.*:2:\d+\)?$/m);
      expect(stack).not.toMatch(/node:internal|chunk-/);
    }
    expect((await machine.dmesg()).at(-1)).toMatch(/ended by SIGABRT: SyscallError: wait: ECHILD/);
  });
});

describe("the language's own objects", () => {
  it('cannot be changed for others, and say so', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const beside = await besides(machine);
    for (const patch of patches) {
      const child = await machine.spawn(
        module(`export default async (proc) => {
          const at = await proc.mmap(0, 4096, RW, ANON);
          try { ${patch}; proc.print(${JSON.stringify(patch)}); } catch (error) {
            if (!(error instanceof TypeError)) throw error;
          }
          proc.mem.store32(at, 5);
          return proc.mem.load32(at);
        };`),
      );
      expect([patch, await child.wait()]).toEqual([patch, { code: 5 }]);
    }
    expect(lines).toEqual([]);
    await expectAlive([beside]);
    await expectClean(machine);
  });

  it('can be added to, and be given to objects of the program', async () => {
    const { machine } = await start({ cpus: 1 });
    const child = await machine.spawn(
      module(`export default () => {
        Array.prototype.last = function () { return this[this.length - 1]; };
        class Bytes extends Uint8Array { at() { return 6; } }
        const error = new Error('a');
        error.name = 'Mine'; error.message = 'b';
        function Old() {}
        Old.prototype.toString = () => 'old';
        const ok = String(new Old()) === 'old' && String(error) === 'Mine: b';
        return ok ? [1, 2].last() + new Bytes(1).at(0) : 0;
      };`),
    );
    expect(await child.wait()).toEqual({ code: 8 });
  });
});

it('a value is converted before its address is looked up', async () => {
  const { machine } = await start({ cpus: 1 });
  const child = await machine.spawn(
    program((proc: Proc) => {
      const { mem, local } = proc;
      const stores = [
        (at: number, value: never) => mem.store8(at, value),
        (at: number, value: never) => mem.store16(at, value),
        (at: number, value: never) => mem.store32(at, value),
        (at: number, value: never) => mem.storeF32(at, value),
        (at: number, value: never) => mem.storeF64(at, value),
        (at: number, value: never) => mem.atomicStore32(at, value),
        (at: number, value: never) => mem.atomicAdd32(at, value),
        (at: number, value: never) => mem.atomicExchange32(at, value),
        (at: number, value: never) => mem.atomicCompareExchange32(at, 0, value),
        (at: number, value: never) => mem.fill(at, value, 8),
      ];
      let refused = 0;
      for (const store of stores) {
        const at = local.mmap(0, 4096, RW, ANON);
        mem.store32(at, 0);
        const value = { valueOf: () => local.munmap(at, 4096) } as never;
        try {
          store(at, value);
        } catch (error) {
          if ((error as Error).name === 'MemoryFault') refused++;
        }
        for (const other of [1n, Symbol('s')]) {
          try {
            store(local.mmap(0, 4096, RW, ANON), other as never);
          } catch (error) {
            if (error instanceof TypeError) refused++;
          }
        }
      }
      let turn = 0;
      const page = local.mmap(0, 4096, RW, ANON);
      const wanders = { valueOf: () => page + 4096 * turn++ } as never;
      for (const access of [
        () => mem.read(wanders, 8),
        () => mem.write(wanders, Uint8Array.of(1)),
        () => mem.fill(wanders, 1, 8),
        () => mem.copy(wanders, page, 8),
        () => mem.load32(wanders),
        () => mem.write(page, 'text' as never),
        () => mem.write(page, Uint16Array.of(1) as never),
      ]) {
        try {
          access();
        } catch (error) {
          if (error instanceof TypeError) refused++;
        }
      }
      mem.store8(page, 300.7);
      mem.store32(page + 4, -1.5);
      return refused === 37 && mem.load8(page) === 44 && mem.load32(page + 4) === -1 ? 0 : refused;
    }),
  );
  expect(await child.wait()).toEqual({ code: 0 });
  await expectClean(machine);
});
