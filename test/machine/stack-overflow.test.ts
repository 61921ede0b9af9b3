/**
 * Goal: a stack that overflows does so in user mode, whatever the program was doing; it ends that
 * program alone, or nothing if the program catches it.
 * Method: recursion without end through each way into the kernel, again and again with frames of
 * other sizes, on a checked machine that must work on, beside a neighbour.
 */
import type { Proc } from 'faultline';
import { describe, expect, it } from 'vitest';
import { expectClean, program, start } from '../support/worker-programs.ts';

/** Overflows the stack in every way, catches it each time, and checks that everything works. */
const overflows = program(async (proc: Proc) => {
  const { mem, local, sync } = proc;
  const at = local.mmap(0, 1 << 26, RW, ANON);
  const buffer = new Uint8Array(5000);
  let i = 0;
  let repaired = 0;
  proc.sigaction('SIGSEGV', ({ address }) => {
    repaired++;
    local.mprotect(address - (address % 4096), 4096, RW);
  });
  const page = (): number => at + (i++ % 16380) * 4096;
  const ways: Record<string, () => unknown> = {
    store: () => mem.store32(page(), 1),
    load: () => mem.load8(page()),
    discard: () => {
      local.madvise(at, 4096, 4);
      mem.store8(at, 1);
    },
    bulk: () => mem.readInto(page(), buffer),
    fill: () => mem.fill(page(), 7, 9000),
    atomic: () => mem.atomicAdd32(page(), 1),
    protect: () => local.mprotect(page(), 4096, (i & 1) === 0 ? 1 : 3),
    map: () => local.munmap(local.mmap(0, 4096, RW, ANON), 4096),
    handler: () => {
      local.mprotect(at, 4096, 0);
      mem.store32(at, 1);
    },
    trap: () => sync.mprotect(page(), 4096, RW),
    futex: () => local.futexWake(at, 1),
    mask: () => proc.sigprocmask('block', ['SIGUSR1']),
    promise: () => void proc.getpid().catch(() => {}),
    print: () => proc.print(''),
  };
  let from = 0;
  let deepest = 0;
  const recurse = (way: () => unknown, depth: number): number => {
    deepest = depth;
    if (depth >= from) way();
    return recurse(way, depth + 1) + 1;
  };
  const recurseWide = (way: () => unknown, depth: number, ...rest: number[]): number => {
    deepest = depth;
    if (depth >= from) way();
    return recurseWide(way, depth + 1, ...rest) + 1;
  };
  const overflow = (
    deep: (way: () => unknown, depth: number, ...rest: number[]) => number,
    way: () => unknown,
  ): string => {
    try {
      return String(deep(way, 0, 1, 2, 3));
    } catch (error) {
      return String(error);
    }
  };
  for (const [name, way] of Object.entries(ways)) {
    for (const deep of [recurse, recurseWide]) {
      local.munmap(at, 1 << 26);
      local.mmap(at, 1 << 26, RW, ANON | 0x10);
      // The calls are made in the last frames, which have twice the reserve.
      from = Infinity;
      overflow(deep, way);
      from = deepest - 1500;
      const caught = overflow(deep, way);
      if (!/call stack/.test(caught)) throw new Error(`${name}: ${caught}`);
      mem.store32(at, i);
      if (mem.load32(at) !== (i | 0) || sync.getpid() !== proc.pid) throw new Error(name);
      await proc.nanosleep(1);
    }
  }
  return repaired > 0 ? 0 : 1;
});

const neighbour = program(async (proc: Proc) => {
  const at = await proc.mmap(0, 4096, RW, ANON);
  for (let round = 0; round < 50; round++) {
    mem32(round);
    await sleep(1);
  }
  function mem32(round: number): void {
    proc.mem.store32(at, round);
  }
  return proc.mem.load32(at);
});

describe('a stack that overflows', () => {
  it.each(['local', 'remote'] as const)('does so in user mode, with faults %s', async (faults) => {
    const { machine } = await start({ cpus: 1, faults, memory: '256MiB' });
    const beside = await machine.spawn(neighbour);
    const child = await machine.spawn(overflows);
    expect(await child.wait()).toEqual({ code: 0 });
    expect(await beside.wait()).toEqual({ code: 49 });
    await expectClean(machine);
  });

  it('ends the program that does not catch it', async () => {
    const { machine } = await start({ cpus: 1, memory: '512MiB' });
    const beside = await machine.spawn(neighbour);
    const child = await machine.spawn(
      program(async (proc: Proc) => {
        const at = await proc.mmap(0, 2 ** 29, RW, ANON);
        let page = 0;
        const walk = (): number => {
          proc.mem.store32(at + page++ * 4096, 1);
          return walk() + 1;
        };
        return walk();
      }),
    );
    expect(await child.wait()).toMatchObject({
      signal: 'SIGABRT',
      reason: 'stack overflow: RangeError: Maximum call stack size exceeded',
    });
    expect(await beside.wait()).toEqual({ code: 49 });
    await expectClean(machine);
  });

  it('does not keep the program from its exit', async () => {
    const { machine } = await start({ cpus: 1 });
    const child = await machine.spawn(
      program((proc: Proc) => {
        const deep = (): number => {
          try {
            return deep() + 1;
          } catch {
            return proc.exit(7);
          }
        };
        return deep();
      }),
    );
    expect(await child.wait()).toEqual({ code: 7 });
    await expectClean(machine);
  });

  it('is far enough from the deepest call that gets into the kernel', async () => {
    const { machine } = await start({ cpus: 1 });
    const beside = await machine.spawn(program(() => sleep(60_000)));
    const child = await machine.spawn(
      program((proc: Proc) => {
        const at = proc.local.mmap(0, 4096, RW, ANON);
        let slept = 0;
        const deep = (): void => {
          try {
            deep();
          } catch (error) {
            if (slept > 0) return;
            // Here, or one frame further up: the neighbour is killed during this sleep.
            try {
              proc.sync.futexWait(at, 0, 400);
            } catch (thrown) {
              if ((thrown as { code?: string }).code === 'ETIMEDOUT') slept++;
              else throw error;
            }
          }
        };
        deep();
        return slept;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    await beside.kill();
    expect(await beside.wait()).toEqual({ signal: 'SIGKILL' });
    expect(await child.wait()).toEqual({ code: 1 });
    await expectClean(machine);
  });
});
