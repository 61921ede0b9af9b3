/** Goal: what a Worker tells of code that goes on after its process's end, and its timers. */
import { describe, expect, it } from 'vitest';

import { peek } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import { EndedCode, LEFTOVER_TURNS_MAX } from '../../workers/cpu/runtime/ended-code.ts';
import { ProgramTimers } from '../../workers/cpu/runtime/program-timers.ts';
import { Garbage } from '../../workers/garbage.ts';
import { testMachine } from '../support/kernel-helpers.ts';

/** Turns of an event loop, which the test ends. */
class Turns {
  #next: (() => void)[] = [];
  readonly after = (run: () => void): void => void this.#next.push(run);

  end(): void {
    for (const run of this.#next.splice(0)) run();
  }
}

function endedCode() {
  const { cpu } = testMachine();
  const turns = new Turns();
  const reported: number[] = [];
  const code = new EndedCode({
    cpu,
    afterTurn: turns.after,
    report: (pid) => reported.push(pid),
  });
  return { code, turns, reported, marked: () => peek(cpu.words, cpu.base + CPU.ENDED_PID) };
}

describe('the mark of a process that has ended', () => {
  it('stays until the turn is over, or another process runs', () => {
    const { code, turns, marked } = endedCode();
    code.ended(5);
    expect(marked()).toBe(5);
    turns.end();
    expect(marked()).toBe(0);
    code.ended(6);
    code.over();
    expect(marked()).toBe(0);
    code.ended(7);
    code.over();
    code.ended(8);
    turns.end();
    expect(marked()).toBe(0);
  });

  it('leaves calls of later turns to be counted, by turns and by process', () => {
    const { code, turns, reported } = endedCode();
    code.ended(5);
    for (let i = 0; i < 100; i++) code.called(5);
    turns.end();
    for (let turn = 1; turn <= LEFTOVER_TURNS_MAX; turn++) {
      expect(reported).toEqual([]);
      for (let i = 0; i < 10; i++) code.called(5);
      if (turn % 2 === 0) code.called(6);
      turns.end();
    }
    expect(reported).toEqual([5]);
  });
});

/** A host's timers, which the test lets go off. */
function fakeHost() {
  const due = new Map<object, { readonly run: () => void; readonly repeats: boolean }>();
  const start = (repeats: boolean) => (callback: (...args: unknown[]) => void, _ms: number) => {
    const handle = {};
    due.set(handle, { run: () => callback('argument'), repeats });
    return handle;
  };
  const stop = (handle: object): void => void due.delete(handle);
  const globals = {
    ...{ setTimeout: start(false), clearTimeout: stop },
    ...{ setInterval: start(true), clearInterval: stop },
  };
  const goOff = (): void => {
    for (const [handle, { run, repeats }] of [...due]) {
      if (!repeats) due.delete(handle);
      run();
    }
  };
  return { globals, due, goOff };
}

describe('the timers of programs', () => {
  it('belong to who runs, run on its account, and end with it', () => {
    const { globals, due, goOff } = fakeHost();
    const [one, other] = [{}, {}];
    let running: object | null = one;
    const accounts: object[] = [];
    const timers = new ProgramTimers<object>({
      running: () => running,
      runs: (owner) => accounts.push(owner),
    });
    timers.install(globals);
    const seen: unknown[] = [];
    globals.setInterval((...args) => seen.push('one', ...args), 1);
    globals.setTimeout(() => seen.push('once'), 1);
    globals.clearTimeout(globals.setTimeout(() => seen.push('never'), 1));
    running = other;
    globals.setInterval(() => seen.push('other'), 1);
    running = null;
    globals.setTimeout(() => seen.push('nobody'), 1);
    goOff();
    expect(seen).toEqual(['one', 'argument', 'once', 'other', 'nobody']);
    expect(accounts).toEqual([one, one, other]);
    timers.end(one);
    expect(due.size).toBe(1);
    running = one;
    globals.setInterval(() => seen.push('after its end'), 1);
    expect(due.size).toBe(1);
    goOff();
    expect(seen.slice(5)).toEqual(['other']);
  });
});

describe('the garbage of ended processes', () => {
  it('is collected after many ends, in a turn of its own', () => {
    const turns = new Turns();
    let collections = 0;
    const garbage = new Garbage(() => collections++, turns.after);
    for (let i = 0; i < 256; i++) garbage.processEnded();
    expect(collections).toBe(0);
    turns.end();
    expect(collections).toBe(1);
    for (let i = 0; i < 255; i++) garbage.processEnded();
    turns.end();
    expect(collections).toBe(1);
  });
});
