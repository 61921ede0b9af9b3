/*
 * Goal: one step over many resident pages is carried out by the caller's CPU, not by the kernel
 * worker; a process with many pages gives them back in parts. Method: a machine with a little more
 * than RANGE_BATCH_PAGES resident pages; a runner that notes how each call is carried out.
 */
import { describe, expect, it } from 'vitest';

import { exitProcess } from '../../kernel/lifecycle/exit.ts';
import { shrinkSpace } from '../../kernel/lifecycle/shrink-space.ts';
import { WAIT_PAGE } from '../../kernel/machine/wait-codes.ts';
import { populate } from '../../kernel/mmu/populate.ts';
import { residentPages } from '../../kernel/reclaim/badness.ts';
import { frameUsage } from '../../kernel/reports/usage.ts';
import { getSpace, putSpace } from '../../kernel/space/space.ts';
import * as M from '../../shared/abi/mman.ts';
import * as S from '../../shared/abi/syscalls.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import { RANGE_BATCH_PAGES } from '../../shared/limits.ts';
import { addressOf, bytesOf, vpnOf } from '../../shared/units.ts';
import { TRAP_DONE_HERE } from '../../shared/wire.ts';
import { messageOrHere, trapOrHere } from '../../workers/cpu/runtime/long-calls.ts';
import type { RunningProcess } from '../../workers/cpu/runtime/running-process.ts';
import { ANON, Kit, RW } from '../fixtures/errno-rules/kit.ts';
import { expectClean } from '../support/kernel-helpers.ts';

const LONG = RANGE_BATCH_PAGES + 100;
const AT = addressOf(2 ** 20 + 5);

/** A process with LONG resident pages from AT on. */
function bigProcess(): Kit {
  const kit = new Kit(RANGE_BATCH_PAGES + 2048);
  expect(kit.sys.mmap(AT, bytesOf(LONG), RW, ANON | M.MAP_FIXED)).toBe(AT);
  for (let vpn = vpnOf(AT); vpn < vpnOf(AT) + LONG;) {
    vpn = populate(kit.t.cpu, kit.proc, vpn, vpnOf(AT) + LONG);
  }
  expect(residentPages(kit.t.machine, kit.space)).toBe(LONG);
  return kit;
}

/** Notes `way number` for each call; calls succeed with 7. */
function noting({ t, proc }: Kit, notes: string[]): RunningProcess {
  const note = (way: string, number: number): number => notes.push(`${way} ${number}`) && 7;
  const pid = t.machine.words[proc + PROCESS.PID] as number;
  return {
    pid,
    context: { cpu: t.cpu, kernel: { syscall: (_: number, n: number) => note('message', n) } },
    trap: (number: number) => note('trap', number),
    local: (number: number) => note('local', number),
  } as unknown as RunningProcess;
}

describe('a call over more pages than a batch', () => {
  it('is carried out by the caller’s CPU, all others by the kernel worker', async () => {
    const kit = bigProcess();
    const notes: string[] = [];
    const runner = noting(kit, notes);
    const whole = [AT, bytesOf(LONG), 0];
    for (const number of [S.SYS_MUNMAP, S.SYS_MPROTECT, S.SYS_MREMAP]) {
      expect(trapOrHere(runner, number, whole)).toBe(7);
      expect(await messageOrHere(runner, number, whole)).toBe(7);
      expect(notes.splice(0)).toEqual([
        ...[`local ${number}`, `trap ${TRAP_DONE_HERE}`],
        ...[`local ${number}`, `message ${TRAP_DONE_HERE}`],
      ]);
      // A small range; one whose length is no number.
      for (const length of [bytesOf(RANGE_BATCH_PAGES), NaN]) {
        trapOrHere(runner, number, [AT, length]);
        await messageOrHere(runner, number, [AT, length]);
        expect(notes.splice(0)).toEqual([`trap ${number}`, `message ${number}`]);
      }
    }
    trapOrHere(runner, S.SYS_MADVISE, whole);
    trapOrHere(runner, S.SYS_BRK, [0]);
    // A large range with few pages.
    kit.must(kit.sys.munmap(AT, bytesOf(200)));
    trapOrHere(runner, S.SYS_MUNMAP, whole);
    expect(notes).toEqual([
      ...[`trap ${S.SYS_MADVISE}`, `local ${S.SYS_BRK}`, `trap ${TRAP_DONE_HERE}`],
      `trap ${S.SYS_MUNMAP}`,
    ]);
    expectClean(kit.t);
  });
});

describe('the end of a process with many pages', () => {
  it('gives them back in parts until few are left', () => {
    const kit = bigProcess();
    const { cpu, machine } = kit.t;
    const { used } = frameUsage(machine);
    // While another one uses the space, its pages stay.
    getSpace(cpu, kit.space);
    expect(shrinkSpace(cpu, kit.proc)).toBe(0);
    expect(residentPages(machine, kit.space)).toBe(LONG);
    putSpace(cpu, kit.space);
    expect(shrinkSpace(cpu, kit.proc)).toBe(-WAIT_PAGE);
    expectClean(kit.t);
    while (shrinkSpace(cpu, kit.proc) === -WAIT_PAGE);
    expect(residentPages(machine, kit.space)).toBeLessThanOrEqual(RANGE_BATCH_PAGES);
    expectClean(kit.t);
    exitProcess(cpu, machine.words[kit.proc + PROCESS.PID] as number, 0, 0, 0);
    expect(frameUsage(machine).used).toBeLessThan(used - LONG);
    expectClean(kit.t);
  });
});
