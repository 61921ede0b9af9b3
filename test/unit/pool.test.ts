/** Goal: placement, replacement and ends of CPU workers, against a host that the test plays. */
import { describe, expect, it } from 'vitest';
import type { CpuApi } from '../../shared/wire.ts';
import type { Connection } from '../../workers/wire/endpoint.ts';
import { Pool } from '../../workers/kernel/processes/pool.ts';
import type { WorkerCare } from '../../workers/kernel/processes/pool.ts';

/** A host whose Workers are ready when they are told to start, unless listed in `broken`. */
function fakeHost(cpus: number, spares = 1) {
  const log: string[] = [];
  const broken = new Set<number>();
  const closed: Error[] = [];
  const pool: Pool = new Pool({
    cpus,
    spares,
    start: async (cpu, generation) => {
      log.push(`start ${cpu}.${generation}`);
      return { close: () => log.push(`port closed ${cpu}`) } as never;
    },
    terminate: async (cpu, generation) => {
      log.push(`terminate ${cpu}.${generation}`);
      queueMicrotask(() => pool.died(cpu, generation, 'exited'));
    },
  });
  const care: WorkerCare = {
    connect: (cpu) =>
      ({
        remote: {
          ready: async () => {
            if (broken.has(cpu)) throw new Error(`CPU ${cpu} is broken`);
          },
        },
        close: (reason: Error) => closed.push(reason),
      }) as unknown as Connection<CpuApi>,
    cleanUp: (cpu, reason) => void log.push(`dead ${cpu}: ${reason}`),
  };
  return { pool, startAll: () => pool.startAll(care), log, broken, closed };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe('the pool of CPU workers', () => {
  it('places processes on the least loaded CPU', async () => {
    const { pool, startAll } = fakeHost(3);
    await startAll();
    const slots = [];
    for (let i = 0; i < 7; i++) slots.push(await pool.acquire(false));
    expect(slots.map(({ cpu }) => cpu)).toEqual([1, 2, 3, 1, 2, 3, 1]);
    pool.release(slots[1]!, 1);
    pool.release(slots[4]!, 1);
    expect((await pool.acquire(false)).cpu).toBe(2);
  });

  it('replaces a dead Worker under its CPU number, after the cleaning up', async () => {
    const { pool, startAll, log, closed } = fakeHost(2);
    await startAll();
    await pool.acquire(false);
    pool.died(1, 1, 'Error: boom');
    await settle();
    expect(log).toEqual(['start 1.1', 'start 2.1', 'dead 1: Error: boom', 'start 1.2']);
    expect(closed.map(({ message }) => message)).toEqual([
      'the Worker of CPU 1 has died: Error: boom',
    ]);
    const slot = await pool.acquire(false);
    expect(slot).toMatchObject({ cpu: 1, generation: 2, load: 1 });
  });

  it('ignores what comes from an earlier generation', async () => {
    const { pool, startAll, log } = fakeHost(1);
    await startAll();
    pool.died(1, 1, 'first');
    await settle();
    const slot = await pool.acquire(false);
    pool.died(1, 1, 'again');
    pool.release(slot, 1);
    expect(slot).toMatchObject({ generation: 2, load: 1, state: 'live' });
    expect(log.filter((line) => line.startsWith('dead'))).toEqual(['dead 1: first']);
  });

  it('gives a dedicated process a Worker of its own and ends it afterwards', async () => {
    const { pool, startAll, log } = fakeHost(1, 1);
    await startAll();
    const own = await pool.acquire(true);
    expect(own).toMatchObject({ cpu: 2, dedicated: true });
    await expect(pool.acquire(true)).rejects.toMatchObject({
      code: 'EAGAIN',
      message: 'spawn: EAGAIN, all CPUs for dedicated Workers are taken',
    });
    pool.release(own, own.generation);
    // The Worker is not gone yet: the next one waits for its CPU.
    expect(await pool.acquire(true)).toMatchObject({ cpu: 2, generation: 2 });
    expect(log.slice(-3)).toEqual(['terminate 2.1', 'dead 2: its process has ended', 'start 2.2']);
  });

  it('waits for the only Worker while it is being replaced', async () => {
    const { pool, startAll, log } = fakeHost(1);
    await startAll();
    const slot = await pool.acquire(false);
    pool.end(slot, 'a program does not let go of it');
    expect(await pool.acquire(false)).toMatchObject({ cpu: 1, generation: 2, load: 1 });
    expect(log.slice(1)).toEqual([
      'terminate 1.1',
      'dead 1: a program does not let go of it',
      'start 1.2',
    ]);
  });

  it('does not hang or loop over Workers that cannot start', async () => {
    const { pool, startAll, log, broken } = fakeHost(2);
    await startAll();
    broken.add(1).add(2);
    pool.died(1, 1, 'crash');
    pool.died(2, 1, 'crash');
    await settle();
    await settle();
    expect(log.filter((line) => line.startsWith('start'))).toHaveLength(4);
    expect(log.at(-1)).toBe('dead 2: Error: CPU 2 is broken');
    await expect(pool.acquire(false)).rejects.toMatchObject({
      code: 'EAGAIN',
      message: 'spawn: EAGAIN, Error: CPU 2 is broken',
    });
    await settle();
    broken.clear();
    expect((await pool.acquire(false)).state).toBe('live');
  });

  it('ends all Workers at shutdown and starts none', async () => {
    const { pool, startAll, log } = fakeHost(2);
    await startAll();
    await pool.shutdown();
    expect(log.filter((line) => line.startsWith('start'))).toHaveLength(2);
    expect(pool.live()).toEqual([]);
    await expect(pool.acquire(false)).rejects.toMatchObject({ code: 'EAGAIN' });
  });
});
