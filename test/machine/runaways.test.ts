/**
 * Goal: a process that has ended, and whose code goes on all the same, costs the others at most its
 * Worker, for a second. Method: programs that do whatever keeps a thread, on machines whose CPUs
 * they all take; what else is on those CPUs has not begun, or idles.
 */
import type { MachineHandle, ProcessHandle } from 'faultline';
import { describe, expect, it } from 'vitest';
import { expectClean, module, program, start, threads } from '../support/worker-programs.ts';

const idle = program(async (proc) => {
  proc.print('idle');
  for (;;) await proc.nanosleep(1e6);
});

const answers = program(() => 42);

/** A program that says that it has begun, waits for the file /go, and then runs `body`. */
function gated(body: string): string {
  return module(`import { setInterval as setHostInterval } from 'node:timers';
    export default async (proc) => {
      const at = await proc.mmap(0, 4096, RW, ANON);
      const caught = (run) => { try { run(); } catch { /* On and on. */ } };
      proc.print('begun');
      for (let isOpen = false; !isOpen; await proc.nanosleep(1e6)) {
        isOpen = await proc.open('/go').then(() => true, () => false);
      }
      ${body}
    };`);
}

/** Each ends by itself, or by SIGKILL where its code is 137, and keeps its thread for ever. */
const runaways: readonly (readonly [what: string, code: number, body: string])[] = [
  ['accesses memory, after SIGKILL', 137, 'for (;;) caught(() => proc.mem.store32(at, 1));'],
  ['faults, before and after SIGKILL', 137, 'for (;;) caught(() => proc.mem.load32(0));'],
  ['calls the kernel, after SIGKILL', 137, 'for (;;) caught(() => proc.local.getpid());'],
  ['spins after exit', 3, 'caught(() => proc.exit(3)); for (;;);'],
  ['awaits nothing after exit', 4, 'caught(() => proc.exit(4)); for (;;) await null;'],
  [
    'leaves a chain of microtasks behind',
    5,
    'const link = () => queueMicrotask(link); link(); return 5;',
  ],
  [
    'leaves a timer behind that is not its own',
    6,
    'setHostInterval(() => caught(() => proc.mem.store32(at, 1)), 5); return 6;',
  ],
];

const spinner = program((proc) => {
  try {
    proc.exit(3);
  } catch {
    // It has ended.
  }
  for (;;);
});

async function replaced(machine: MachineHandle, count: number, withinMs: number): Promise<void> {
  const beganMs = performance.now();
  for (;;) {
    const { counters } = await machine.stats();
    if (counters['runawayWorkers'] === count) return;
    expect(performance.now() - beganMs).toBeLessThan(withinMs);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function ended(process: ProcessHandle, code: number): Promise<void> {
  if (code === 137) await process.kill();
  expect(await process.wait()).toEqual(code === 137 ? { signal: 'SIGKILL' } : { code });
}

async function until(lines: readonly string[], line: string): Promise<void> {
  while (!lines.includes(line)) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('code that goes on after the end of its process', () => {
  it('loses its Worker, whatever it does; the machine goes on', async () => {
    const { machine, lines } = await start({ cpus: runaways.length });
    const all = await Promise.all(runaways.map(([, , body]) => machine.spawn(gated(body))));
    while (lines.length < all.length) await new Promise((resolve) => setTimeout(resolve, 1));
    await machine.addFile('/go', new Uint8Array(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all(all.map((process, index) => ended(process, runaways[index]?.[1] ?? 0)));
    // None of these has begun on a Worker that is lost, or they begin anew.
    const others = await Promise.all(runaways.map(() => machine.spawn(answers)));
    for (const other of others) expect(await other.wait()).toEqual({ code: 42 });
    await replaced(machine, runaways.length, 8000);
    const { notes } = await machine.audit();
    for (const { pid } of all) {
      expect(notes.filter((note) => note.includes(`process ${pid} `))).toHaveLength(1);
    }
    expect((await machine.dmesg()).filter((line) => line.includes('watchdog'))).toHaveLength(
      all.length,
    );
    // The file is a frame.
    await expectClean(machine, 1);
  });

  it('is named by the audit while it is there, and does not hold up a shutdown', async () => {
    const { machine } = await start({ cpus: 1 });
    const process = await machine.spawn(spinner);
    expect(await process.wait()).toEqual({ code: 3 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const { clean, notes } = await machine.audit();
    expect(clean).toBe(true);
    expect(notes).toEqual([`CPU 1: the code of process ${process.pid} goes on after its end`]);
    const beganMs = performance.now();
    await machine.shutdown();
    expect(performance.now() - beganMs).toBeLessThan(1000);
  });

  it('takes with it what has begun on its Worker; the rest begins on another', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const beside = await machine.spawn(idle);
    await until(lines, 'idle');
    // The first is loading its module when the thread is lost, the second has not been started.
    const first = await machine.spawn(spinner);
    const loading = await machine.spawn(answers);
    expect(await first.wait()).toEqual({ code: 3 });
    const queued = await machine.spawn(answers);
    const reason = `its Worker died: the code of process ${first.pid} went on after its end`;
    expect(await beside.wait()).toEqual({ signal: 'SIGKILL', reason });
    expect(await loading.wait()).toEqual({ code: 42 });
    expect(await queued.wait()).toEqual({ code: 42 });
    await expectClean(machine);
  });

  it('and is killed for want of memory: the Worker goes, the process says why', async () => {
    const { machine } = await start({ cpus: 1, memory: '2MiB', swap: 0 });
    const greedy = program(async (proc) => {
      const at = await proc.mmap(0, 2 ** 24, RW, ANON);
      for (let page = 0; ; page++) {
        try {
          proc.mem.store32(at + page * 4096, 1);
        } catch {
          // On and on.
        }
      }
    });
    const process = await machine.spawn(greedy);
    expect(await process.wait()).toEqual({ signal: 'SIGKILL', reason: 'out of memory' });
    await replaced(machine, 1, 2000);
    expect(await (await machine.spawn(answers)).wait()).toEqual({ code: 42 });
    await expectClean(machine);
  });

  it('in a thread, or on a dedicated Worker, is no different', async () => {
    const { machine, lines } = await start({ cpus: 2 });
    await machine.addFile('/go', new Uint8Array(1));
    const family = threads(
      async (proc) => {
        const { status } = await proc.wait(await proc.clone('spinner'));
        await proc.nanosleep(1e9);
        return 'code' in status ? status.code : 1;
      },
      {
        spinner: (proc) => {
          try {
            proc.exit(9);
          } catch {
            // It has ended.
          }
          for (;;);
        },
      },
    );
    const alone = await machine.spawn(gated(runaways[0]![2]), { dedicated: true });
    const main = await machine.spawn(family);
    await until(lines, 'begun');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await ended(alone, 137);
    expect(await main.wait()).toEqual({ code: 9 });
    await replaced(machine, 1, 2000);
    expect(await (await machine.spawn(answers, { dedicated: true })).wait()).toEqual({ code: 42 });
    await expectClean(machine, 1);
  });
});

describe('code that is not to be blamed', () => {
  it('computes for a second on the Worker of a process that has just ended', async () => {
    const { machine } = await start({ cpus: 1 });
    const computes = program(() => {
      const endMs = performance.now() + 1000;
      while (performance.now() < endMs);
      return 1;
    });
    const all = await Promise.all([answers, computes, answers].map((url) => machine.spawn(url)));
    expect(await Promise.all(all.map((process) => process.wait()))).toEqual([
      { code: 42 },
      { code: 1 },
      { code: 42 },
    ]);
    const { counters } = await machine.stats();
    expect(counters['runawayWorkers']).toBe(0);
    await expectClean(machine);
  });

  it('had timers that end with their process, if they catch what they like', async () => {
    const { machine, lines } = await start({ cpus: 1 });
    const leaves = program(async (proc) => {
      const shared = globalThis as unknown as { ticks: number };
      const at = await proc.mmap(0, 4096, RW, ANON);
      shared.ticks = 0;
      const tick = (): void => {
        shared.ticks++;
        try {
          proc.mem.store32(at, 1);
        } catch {
          // On and on.
        }
        setTimeout(tick, 1);
        setImmediate(tick);
      };
      setInterval(tick, 1);
      await sleep(20);
      clearTimeout(setTimeout(() => proc.print('cleared, and yet'), 1));
      return 7;
    });
    const looks = program(async (proc) => {
      const shared = globalThis as unknown as { ticks: number };
      const before = shared.ticks;
      await sleep(50);
      proc.print(`${before > 0} ${shared.ticks - before}`);
    });
    expect(await (await machine.spawn(leaves)).wait()).toEqual({ code: 7 });
    await (await machine.spawn(looks)).wait();
    expect(lines).toEqual(['true 0']);
    await expectClean(machine);
  });
});
