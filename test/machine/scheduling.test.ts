/**
 * Goal: many processes on few Workers all run and end; nice values share a CPU; an idle CPU takes
 * over what a busy one has not started; time on the CPU is counted. Times are compared with wide
 * margins only: the host is shared.
 */
import { describe, expect, it } from 'vitest';
import { RunQueue } from '../../workers/cpu/runtime/run-queue.ts';
import type { RunAccount } from '../../workers/cpu/runtime/run-queue.ts';
import { expectClean, program, start, threads } from '../support/worker-programs.ts';

/** Milliseconds of the clock of the queues under test, which `spin` moves. */
let nowMs = 0;

function spin(ms: number): void {
  nowMs += ms;
}

/** A queue whose turns the test takes one by one. */
function turns() {
  const waiting: (() => void)[] = [];
  const queue = new RunQueue(
    (run) => void waiting.push(run),
    () => nowMs,
  );
  const turn = (): boolean => {
    const next = waiting.shift();
    next?.();
    return next !== undefined;
  };
  return { queue, turn };
}

function account(nice = 0): RunAccount {
  return { nice: () => nice, virtualUs: 0, usedUs: 0, publish: () => {} };
}

describe('a run queue', () => {
  it('lets a process go on at once when nobody waits, else in turn', () => {
    const { queue, turn } = turns();
    const seen: string[] = [];
    queue.ready(account(), () => seen.push('a'));
    expect(seen).toEqual(['a']);
    queue.add(account(), () => seen.push('b'));
    queue.ready(account(), () => seen.push('c'));
    expect([seen.join(), queue.length]).toEqual(['a', 2]);
    while (turn());
    expect([seen.join(), queue.length]).toEqual(['a,b,c', 0]);
  });

  it('prefers who has had less time, each with a turn of its own', () => {
    const { queue, turn } = turns();
    const seen: string[] = [];
    const [greedy, modest] = [account(), account()];
    queue.ready(greedy, () => spin(5));
    while (turn());
    queue.add(greedy, () => seen.push('greedy'));
    queue.add(modest, () => seen.push('modest'));
    while (turn());
    expect(seen).toEqual(['modest', 'greedy']);
    expect([greedy.usedUs, modest.usedUs]).toEqual([5000, 0]);
  });

  it('gives shares by nice values, and none for time slept', () => {
    const { queue, turn } = turns();
    const shares = new Map<string, number>();
    const run = (name: string, of: RunAccount): void => {
      shares.set(name, (shares.get(name) ?? 0) + 1);
      spin(0.2);
      if (nowMs < endMs) queue.add(of, () => run(name, of));
    };
    const endMs = nowMs + 400;
    for (const nice of [0, 5]) {
      const of = account(nice);
      queue.add(of, () => run(`nice ${nice}`, of));
    }
    while (turn());
    const ratio = (shares.get('nice 0') ?? 0) / (shares.get('nice 5') ?? 1);
    expect(ratio).toBeCloseTo(1.25 ** 5, 1);
    const late = account();
    queue.add(late, () => spin(1));
    while (turn());
    expect(late.virtualUs).toBeGreaterThan(10_000);
  });

  it('does not count a sleep of the thread', () => {
    const { queue, turn } = turns();
    const sleeper = account();
    queue.ready(sleeper, () => queue.asleep(() => spin(20)));
    while (turn());
    expect(sleeper.usedUs).toBe(0);
  });

  it('orders any number of them', () => {
    const { queue, turn } = turns();
    const seen: number[] = [];
    const values = Array.from({ length: 500 }, (_, i) => (i * 7919) % 500);
    for (const value of values) {
      queue.add({ ...account(), virtualUs: value * 1e9 }, () => seen.push(value));
    }
    while (turn());
    expect(seen).toEqual([...values].sort((a, b) => a - b));
  });
});

describe('processes', () => {
  it('by the thousands run on two Workers and end', async () => {
    const { machine } = await start({ cpus: 2, checked: false });
    const child = program(async (proc, value: number) => {
      if (value % 3 === 0) await proc.schedYield();
      return value & 0xff;
    });
    const handles = await Promise.all(
      Array.from({ length: 2000 }, (_, i) => machine.spawn(child, { args: [i] })),
    );
    const codes = await Promise.all(handles.map((handle) => handle.wait()));
    expect(codes).toEqual(codes.map((_, i) => ({ code: i & 0xff })));
    await expectClean(machine);
  });

  it('all live at once, forked by one parent that waits for all', async () => {
    const { machine } = await start({ cpus: 2, memory: '128MiB', checked: false });
    const main = threads(
      async (proc) => {
        const count = 1000;
        const at = await proc.mmap(0, 4096, RW, SHARED_ANON);
        const pids = new Set<number>();
        for (let i = 0; i < count; i++) pids.add(await proc.fork('child', at));
        while (proc.mem.atomicLoad32(at) < count) await proc.schedYield();
        proc.mem.atomicStore32(at + 4, 1);
        await proc.futexWake(at + 4, count);
        for (let i = 0; i < count; i++) pids.delete((await proc.wait()).pid);
        return pids.size;
      },
      {
        child: async (proc, at: number) => {
          proc.mem.atomicAdd32(at, 1);
          if (proc.mem.atomicLoad32(at + 4) === 0) await proc.futexWait(at + 4, 0).catch(() => {});
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine, 1);
  });

  it('that a busy CPU has not started are taken over by an idle one', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    const busy = program((proc) => {
      const at = proc.local.mmap(0, 4096, RW, ANON);
      proc.print('busy');
      const endMs = performance.now() + 1500;
      while (performance.now() < endMs) proc.mem.load32(at);
      return proc.cpu;
    });
    const quick = program((proc) => proc.cpu);
    const hog = await machine.spawn(busy);
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const startedMs = performance.now();
    const handles = await Promise.all(Array.from({ length: 20 }, () => machine.spawn(quick)));
    const ends = await Promise.all(handles.map((handle) => handle.wait()));
    const tookMs = performance.now() - startedMs;
    const end = await hog.wait();
    const free = end.code !== undefined ? 3 - end.code : 0;
    expect(ends).toEqual(ends.map(() => ({ code: free })));
    expect(tookMs).toBeLessThan(1200);
    await expectClean(machine);
  });

  it('that a dead CPU has not started run elsewhere', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const doomed = program((proc) => {
      proc.print('busy');
      const endMs = performance.now() + 300;
      while (performance.now() < endMs);
      const host = globalThis as unknown as { process: { reallyExit(code: number): void } };
      host.process.reallyExit(9);
    });
    const handle = await machine.spawn(doomed);
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const others = await Promise.all([1, 2, 3].map(() => machine.spawn(program(() => 4))));
    expect(await handle.wait()).toMatchObject({ signal: 'SIGKILL' });
    for (const other of others) expect(await other.wait()).toEqual({ code: 4 });
    await expectClean(machine);
  });

  it('end by a signal before they have been started', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const busy = program((proc) => {
      proc.print('busy');
      const endMs = performance.now() + 300;
      while (performance.now() < endMs);
    });
    const hog = await machine.spawn(busy);
    while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const late = await machine.spawn(program((proc) => proc.print('never')));
    await late.kill('SIGTERM');
    expect(await late.wait()).toEqual({ signal: 'SIGTERM' });
    expect(await hog.wait()).toEqual({ code: 0 });
    expect(lines).toEqual(['busy']);
    await expectClean(machine);
  });

  it('report their time on the CPU, and share it by nice values', async () => {
    const { machine } = await start({ cpus: 1 });
    const worker = program(async (proc, untilMs: number) => {
      while (Date.now() < untilMs) {
        const endMs = performance.now() + 1;
        while (performance.now() < endMs);
        await proc.schedYield();
      }
    });
    const sleeper = program((proc) => proc.nanosleep(700e6));
    const args = [Date.now() + 800];
    const handles = [
      await machine.spawn(worker, { args, nice: 0, name: 'urgent' }),
      await machine.spawn(worker, { args, nice: 10, name: 'patient' }),
      await machine.spawn(sleeper, { name: 'sleeper' }),
    ];
    await Promise.all(handles.map((handle) => handle.wait()));
    const { processes } = await machine.stats();
    const [urgent = 0, patient = 0, asleep = 0] = ['urgent', 'patient', 'sleeper'].map(
      (wanted) => processes.find(({ name }) => name === wanted)?.cpuMs,
    );
    // 1.25 ^ 10 = 9.3
    expect(urgent / patient).toBeGreaterThan(3);
    expect(urgent / patient).toBeLessThan(20);
    expect(asleep).toBeLessThan(100);
    expect(urgent + patient).toBeLessThan(1000);
    await expect(machine.spawn(sleeper, { nice: 20 })).rejects.toThrow(RangeError);
  });

  it('have the nice value of their parent, and change it', async () => {
    const { machine } = await start({ cpus: 1 });
    const child = program((proc) => proc.local.getpriority(0, 0));
    const main = program(async (proc, module: string) => {
      const mine = await proc.getpriority(0, 0);
      await proc.setpriority(0, 0, 7);
      const { status } = await proc.wait(await proc.spawn(module));
      return status.code !== undefined ? mine * 100 + status.code - 1813 : 99;
    });
    const handle = await machine.spawn(main, { args: [child], nice: 2 });
    expect(await handle.wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });

  it('that are threads have stacks with guard pages, which go with them', async () => {
    const { machine } = await start({ cpus: 2 });
    const main = threads(
      async (proc) => {
        const [a, b] = [await proc.clone('deep'), await proc.clone('deep', { stackBytes: 0 })];
        const codes = [];
        for (const pid of [a, b]) {
          const { status } = await proc.wait(pid);
          codes.push(status.code ?? -1);
        }
        return proc.stack === null && codes.join() === '16,1' ? 0 : 1;
      },
      {
        deep: (proc) => {
          if (proc.stack === null) return 1;
          const { address, bytes } = proc.stack;
          proc.mem.fill(address, 7, bytes);
          try {
            proc.mem.store8(address - 1, 1);
          } catch (error) {
            return (error as { code: string }).code === 'SEGV_ACCERR' ? bytes / 4096 : 3;
          }
          return 2;
        },
      },
    );
    expect(await (await machine.spawn(main)).wait()).toEqual({ code: 0 });
    await expectClean(machine);
  });
});
