/** Goal: mutex, condition, barrier and bounded queue keep their promises among real Workers. */
import { BoundedQueue } from 'faultline/program';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { expectClean, module, start } from '../support/worker-programs.ts';

const library = new URL('../../dist/program.js', import.meta.url).href;

/** A program that imports the library, with entries for its threads. */
function using(source: string): string {
  return module(
    `import { Barrier, BoundedQueue, Condition, Mutex } from ${JSON.stringify(library)};
    ${source}`,
  );
}

describe.each(['async', 'sync'])('among threads on CPUs of their own, waiting %s', (way) => {
  it('a mutex lets one in at a time', async () => {
    const { machine } = await start({ cpus: 4 });
    const main = using(`
      export const adder = async (proc, at, way) => {
        const mutex = new Mutex(proc, at);
        for (let i = 0; i < 400; i++) {
          if (way === 'sync') mutex.lockSync(); else await mutex.lock();
          const value = proc.mem.load32(at + 64);
          if (i % 16 === 0) proc.local.getpid();
          proc.mem.store32(at + 64, value + 1);
          mutex.unlock();
        }
      };
      export default async (proc, way) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const pids = [];
        for (let i = 0; i < 3; i++) {
          pids.push(await proc.clone('adder', { args: [at, i === 0 ? 'async' : way] }));
        }
        for (const pid of pids) if ((await proc.wait(pid)).waitStatus !== 0) return 1;
        const mutex = new Mutex(proc, at);
        if (!mutex.tryLock() || mutex.tryLock()) return 2;
        return proc.mem.load32(at + 64) === 1200 ? 0 : 3;
      };`);
    expect(await (await machine.spawn(main, { args: [way] })).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('a condition wakes who waits for it, and a broadcast everybody', async () => {
    const { machine } = await start({ cpus: 4 });
    const main = using(`
      export const waiter = async (proc, at, way) => {
        const mutex = new Mutex(proc, at);
        const condition = new Condition(proc, at + 4);
        let seen = 0;
        for (;;) {
          await mutex.lock();
          while (proc.mem.load32(at + 8) <= seen) {
            if (way === 'sync') condition.waitSync(mutex); else await condition.wait(mutex);
          }
          seen = proc.mem.load32(at + 8);
          proc.mem.store32(at + 12, proc.mem.load32(at + 12) + 1);
          mutex.unlock();
          if (seen === 100) return 0;
          new Condition(proc, at + 16).signal();
        }
      };
      export default async (proc, way) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const mutex = new Mutex(proc, at);
        const condition = new Condition(proc, at + 4);
        const args = [at, way];
        const pids = [await proc.clone('waiter', { args }), await proc.clone('waiter', { args })];
        for (let i = 1; i <= 100; i++) {
          await mutex.lock();
          proc.mem.store32(at + 8, i);
          mutex.unlock();
          if (i % 2 === 0 || i >= 99) condition.broadcast(); else condition.signal();
          if (i % 5 === 0) await proc.nanosleep(1e5);
        }
        for (const pid of pids) if ((await proc.wait(pid)).waitStatus !== 0) return 1;
        return 0;
      };`);
    expect(await (await machine.spawn(main, { args: [way] })).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('nobody passes a barrier before all have come, round after round', async () => {
    const { machine } = await start({ cpus: 4 });
    const main = using(`
      const rounds = async (proc, at, way, index) => {
        const barrier = new Barrier(proc, at, 3);
        let last = 0;
        for (let round = 1; round <= 60; round++) {
          proc.mem.atomicStore32(at + 64 + 4 * index, round);
          if (way === 'sync' ? barrier.waitSync() : await barrier.wait()) last++;
          for (let other = 0; other < 3; other++) {
            const theirs = proc.mem.atomicLoad32(at + 64 + 4 * other);
            if (theirs !== round && theirs !== round + 1) throw new Error(round + ' ' + theirs);
          }
          proc.mem.atomicAdd32(at + 128, last);
          last = 0;
        }
        return 0;
      };
      export const runner = rounds;
      export default async (proc, way) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const pids = [];
        for (let i = 1; i < 3; i++) pids.push(await proc.clone('runner', { args: [at, way, i] }));
        await rounds(proc, at, 'async', 0);
        for (const pid of pids) if ((await proc.wait(pid)).waitStatus !== 0) return 1;
        return proc.mem.load32(at + 128) === 60 ? 0 : 2;
      };`);
    expect(await (await machine.spawn(main, { args: [way] })).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('a bounded queue gives each value to one consumer, and closes without a loss', async () => {
    const { machine } = await start({ cpus: 4 });
    const main = using(`
      export const consumer = async (proc, at, way) => {
        const queue = new BoundedQueue(proc, at, 4);
        let sum = 0;
        for (let last = 0; ;) {
          const value = way === 'sync' ? queue.popSync() : await queue.pop();
          if (value === null) break;
          if (value <= last) throw new Error('out of order');
          last = value;
          sum += value;
        }
        proc.mem.atomicAdd32(at + 64, sum);
      };
      export default async (proc, way) => {
        const at = await proc.mmap(0, 4096, RW, ANON);
        const queue = new BoundedQueue(proc, at, 4);
        const pids = [];
        for (let i = 0; i < 2; i++) pids.push(await proc.clone('consumer', { args: [at, way] }));
        for (let value = 1; value <= 300; value++) if (!(await queue.push(value))) return 1;
        await queue.close();
        if (await queue.push(1)) return 2;
        for (const pid of pids) if ((await proc.wait(pid)).waitStatus !== 0) return 3;
        return proc.mem.load32(at + 64) === 45150 ? 0 : 4;
      };`);
    expect(await (await machine.spawn(main, { args: [way] })).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});

describe('a bounded queue', () => {
  it('refuses a capacity that is no power of two', () => {
    for (const capacity of [0, -1, 3, NaN, 2 ** 31]) {
      expect(() => new BoundedQueue({} as never, 0, capacity)).toThrow(RangeError);
    }
  });
});

describe('pipeline', () => {
  it('carries all values through its stages', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const pipeline = fileURLToPath(new URL('../../dist/programs/pipeline.js', import.meta.url));
    const handle = await machine.spawn(pipeline, {
      args: [{ items: 1500, stages: 3, capacity: 8 }],
    });
    expect(await handle.wait()).toEqual({ code: 0 });
    expect(lines[0]).toMatch(/^1500 items through 3 stages, checksum [0-9a-f]{8}$/);
    await expectClean(machine, 1);
  });
});
