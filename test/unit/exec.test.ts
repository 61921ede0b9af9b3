/*
 * Goal: an exec that finds no memory leaves the old image as it was, and one that succeeds takes
 * nothing from those who share its descriptors. Method: execProcess on a small machine, at each
 * number of frames that are still free.
 */
import { describe, expect, it } from 'vitest';

import { allocFrame, freeFrame } from '../../kernel/frames/frames.ts';
import { createProcess } from '../../kernel/lifecycle/create.ts';
import { execProcess } from '../../kernel/lifecycle/exec.ts';
import { exitProcess, releaseProcess } from '../../kernel/lifecycle/exit.ts';
import { closeFd, fdFile, fdObject } from '../../kernel/objects/fd.ts';
import { putFile } from '../../kernel/objects/open-file.ts';
import { processOf } from '../../kernel/processes/pid-table.ts';
import { startProcess } from '../../kernel/processes/process.ts';
import { formatMaps } from '../../kernel/reports/maps.ts';
import { memfdCreate } from '../../kernel/syscalls/open.ts';
import { sysMmap } from '../../kernel/syscalls/mmap.ts';
import { EBADF, ENOMEM, ESRCH } from '../../shared/abi/errno.ts';
import * as M from '../../shared/abi/mman.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { expectClean, quiesce, testMachine, testProcess } from '../support/kernel-helpers.ts';
import type { TestMachine } from '../support/kernel-helpers.ts';

const BASE = 0x4000_0000;

/** Takes all frames but `left`. */
function exhaust({ cpu }: TestMachine, left: number): number[] {
  const taken: number[] = [];
  for (;;) {
    const pfn = allocFrame(cpu, FRAME.USED);
    if (pfn === 0) break;
    taken.push(pfn);
  }
  for (const pfn of taken.splice(0, left)) freeFrame(cpu, pfn);
  return taken;
}

function isOpen({ cpu }: TestMachine, proc: number, fd: number): boolean {
  const file = fdFile(cpu, proc, fd);
  if (file !== 0) putFile(cpu, file);
  return file !== 0;
}

/** A process with an area, a descriptor to keep, one to be closed; its thread shares them. */
function sharing(t: TestMachine) {
  const { cpu, machine } = t;
  const { pid, proc } = testProcess(t);
  const spec = { name: 't', cpu: 1, parent: pid, thread: true, shareDescriptors: true };
  const thread = createProcess(cpu, spec);
  startProcess(cpu, thread);
  const flags = M.MAP_PRIVATE | M.MAP_ANONYMOUS | M.MAP_FIXED;
  expect(sysMmap(cpu, proc, BASE, 8192, M.PROT_READ, flags, -1, 0)).toBe(BASE);
  const kept = memfdCreate(cpu, proc, 1, 0);
  const closed = memfdCreate(cpu, proc, 2, M.MFD_CLOEXEC);
  return { pid, proc, thread, threadProc: processOf(machine, thread), kept, closed };
}

function end({ cpu }: TestMachine, ...pids: number[]): void {
  for (const pid of pids) {
    exitProcess(cpu, pid, 0, 0, 0);
    releaseProcess(cpu, pid);
  }
}

const names = new Map([
  [1, '/memfd:a'],
  [2, '/memfd:b'],
]);

describe('exec', () => {
  it('leaves the old image whole at whatever allocation memory runs out', () => {
    const outcomes: number[] = [];
    for (let left = 0; left < 8 && outcomes.at(-1) !== 0; left++) {
      const t = testMachine({ frames: 512 });
      const { pid, proc, thread, kept, closed } = sharing(t);
      const before = formatMaps(t.cpu, pid, names);
      const taken = exhaust(t, left);
      const outcome = execProcess(t.cpu, pid, 'next');
      outcomes.push(outcome);
      for (const pfn of taken) freeFrame(t.cpu, pfn);
      if (outcome !== 0) {
        expect(formatMaps(t.cpu, pid, names)).toBe(before);
        expect([kept, closed].map((fd) => isOpen(t, proc, fd))).toEqual([true, true]);
      }
      quiesce(t);
      expectClean(t);
      end(t, pid, thread);
      quiesce(t);
      expectClean(t);
    }
    expect(outcomes[0]).toBe(-ENOMEM);
    expect(outcomes.at(-1)).toBe(0);
  });

  it('gets descriptors of its own, and closes nothing of others', () => {
    const t = testMachine({ frames: 512 });
    const { pid, proc, thread, threadProc, kept, closed } = sharing(t);
    expect(execProcess(t.cpu, pid, 'next')).toBe(0);
    expect(formatMaps(t.cpu, pid, names)).toBe('');
    expect([kept, closed].map((fd) => isOpen(t, proc, fd))).toEqual([true, false]);
    expect([kept, closed].map((fd) => isOpen(t, threadProc, fd))).toEqual([true, true]);
    // The same open file, but each closes its own descriptor.
    expect(fdObject(t.cpu, proc, kept)).toBe(fdObject(t.cpu, threadProc, kept));
    expect(closeFd(t.cpu, proc, kept)).toBe(0);
    expect(isOpen(t, threadProc, kept)).toBe(true);
    expect(closeFd(t.cpu, proc, closed)).toBe(-EBADF);
    expectClean(t);
    end(t, pid, thread);
    quiesce(t);
    expectClean(t);
  });

  it('of a process that has ended is refused', () => {
    const t = testMachine({ frames: 512 });
    const { pid } = testProcess(t);
    exitProcess(t.cpu, pid, 0, 0, 0);
    expect(execProcess(t.cpu, pid, 'next')).toBe(-ESRCH);
    releaseProcess(t.cpu, pid);
    quiesce(t);
    expectClean(t);
  });
});
