/** Goal: each child's end reaches exactly one wait, and nobody waits for ever. */
import { describe, expect, it } from 'vitest';
import { ECHILD, EINTR, ESRCH } from '../../shared/abi/errno.ts';
import { ENDED_KEPT } from '../../shared/limits.ts';
import { HOST_PID, ProcessTable } from '../../workers/kernel/processes/process-table.ts';
import type { ProcessEntry } from '../../workers/kernel/processes/process-table.ts';

function entry(pid: number, parent: number): ProcessEntry {
  return {
    ...{ pid, tgid: pid, parent, name: `p${pid}`, dedicated: false, cpu: 1, generation: 1 },
    ...{ group: pid, announces: true, isGone: false },
    ...{ startedMs: 0, endedMs: 0, status: null, killReason: null, report: null },
  };
}

function table(...family: readonly [pid: number, parent: number][]) {
  const reaped: number[] = [];
  const processes = new ProcessTable((pid) => reaped.push(pid));
  for (const [pid, parent] of family) {
    processes.add(entry(pid, parent));
  }
  return { processes, reaped };
}

describe('the process table', () => {
  it('reports a child that ended before or after the wait, once', async () => {
    const { processes, reaped } = table([1, HOST_PID], [2, 1], [3, 1]);
    processes.end(2, { code: 7 }, 5);
    expect(reaped).toEqual([]);
    expect(await processes.wait(1, null)).toEqual({ pid: 2, status: { code: 7 } });
    expect(reaped).toEqual([2]);
    const waiting = processes.wait(1, null);
    processes.end(3, { signal: 'SIGKILL' }, 6);
    expect(await waiting).toEqual({ pid: 3, status: { signal: 'SIGKILL' } });
    expect(await processes.wait(1, null)).toBe(-ECHILD);
    expect(processes.end(3, { code: 0 }, 7)).toBe(false);
  });

  it('waits for a named child only, and refuses what is no child', async () => {
    const { processes } = table([1, HOST_PID], [2, 1], [3, 1], [4, 2]);
    const waiting = processes.wait(1, 3);
    processes.end(2, { code: 1 }, 1);
    processes.end(3, { code: 2 }, 1);
    expect(await waiting).toEqual({ pid: 3, status: { code: 2 } });
    expect(await processes.wait(1, 4)).toBe(-ECHILD);
    expect(await processes.wait(1, 99)).toBe(-ECHILD);
    expect(await processes.wait(1, 2)).toEqual({ pid: 2, status: { code: 1 } });
  });

  it('refuses a second waiter when its last child was given to the first', async () => {
    const { processes } = table([1, HOST_PID], [2, 1]);
    const both = Promise.all([processes.wait(1, null), processes.wait(1, 2)]);
    processes.end(2, { code: 0 }, 1);
    expect(await both).toEqual([{ pid: 2, status: { code: 0 } }, -ECHILD]);
  });

  it('lets the waits of a process that ends go', async () => {
    const { processes } = table([1, HOST_PID], [2, 1]);
    const waiting = processes.wait(1, null);
    processes.end(1, { signal: 'SIGKILL' }, 1);
    expect(await waiting).toBe(-EINTR);
  });

  it('passes orphans to the host and reaps those that had ended', () => {
    const { processes, reaped } = table([1, HOST_PID], [2, 1], [3, 1]);
    processes.end(2, { code: 0 }, 1);
    processes.end(1, { code: 0 }, 2);
    expect(reaped).toEqual([2, 1]);
    expect(processes.get(3)?.parent).toBe(HOST_PID);
    processes.end(3, { code: 0 }, 3);
    expect(reaped).toEqual([2, 1, 3]);
    expect(processes.running()).toEqual([]);
    expect(processes.all().map(({ pid }) => pid)).toEqual([1, 2, 3]);
  });

  it('tells the host the status any number of times', async () => {
    const { processes } = table([1, HOST_PID]);
    const early = processes.status(1);
    const second = processes.status(1);
    processes.end(1, { code: 3 }, 1);
    expect([await early, await second]).toEqual([{ code: 3 }, { code: 3 }]);
    expect(await processes.status(1)).toEqual({ code: 3 });
    expect(processes.status(2)).toBe(-ESRCH);
  });

  it('forgets all but the last ended ones, and says how many', async () => {
    const { processes } = table();
    for (let pid = 1; pid <= ENDED_KEPT + 5; pid++) {
      processes.add(entry(pid, HOST_PID));
      processes.end(pid, { code: 0 }, pid);
    }
    processes.add(entry(2000, HOST_PID));
    expect(processes.all()).toHaveLength(ENDED_KEPT + 1);
    expect(processes.forgotten).toBe(5);
    expect(processes.get(5)).toBeUndefined();
    expect(processes.status(5)).toBe(-ESRCH);
    expect(await processes.status(6)).toEqual({ code: 0 });
    expect(await processes.wait(1, 5)).toBe(-ECHILD);
  });
});
