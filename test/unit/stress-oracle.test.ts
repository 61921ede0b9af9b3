/**
 * Goal: the oracle of stress knows when it knows, complains of every kind of misbehaviour, and not
 * of what a real machine may do. Method: interleavings of operations, stores and reads by hand.
 */
import { describe, expect, it } from 'vitest';
import { THREADS_MAX, pageRange, trackedPages, wholeSpan } from '../../lab/stress/arena.ts';
import type { Contents, Refusal } from '../../lab/stress/contents.ts';
import { Judge } from '../../lab/stress/judge.ts';
import { Oracle, UNKNOWN, UNMAPPED, stateOf } from '../../lab/stress/oracle.ts';

const [NONE, READ, RW] = [0, 1, 3];

function oracle(): Oracle {
  return new Oracle(Oracle.create(2), 2);
}

function known(counters: Oracle, page = 0): number {
  return counters.state(page, counters.begun(page));
}

/** A page as read: stamps and numbers of thread 0. */
function seen(stamp: number, number = 1): Contents {
  const words = (first: number): number[] => [first, ...Array<number>(THREADS_MAX - 1).fill(0)];
  return { identity: 0, stamps: words(stamp), numbers: words(number) };
}

describe('the counting oracle', () => {
  it('knows a page after an operation that was alone', () => {
    const counters = oracle();
    expect(known(counters)).toBe(UNMAPPED);
    const map = counters.begin(0);
    expect(known(counters)).toBe(UNKNOWN);
    counters.end(map, stateOf(map.number, RW));
    expect(known(counters)).toBe(stateOf(1, RW));
    expect(known(counters, 1)).toBe(UNMAPPED);
    expect(counters.begin(0).before).toBe(stateOf(1, RW));
  });

  it.each([
    ['first', [0, 1]],
    ['second', [1, 0]],
  ])('does not know a page after two that overlapped, the %s ending first', (_which, order) => {
    const counters = oracle();
    const both = [counters.begin(0), counters.begin(0)];
    for (const index of order) {
      const ticket = both[index]!;
      expect(counters.wasSole(ticket)).toBe(false);
      counters.end(ticket, stateOf(ticket.number, RW));
      expect(known(counters)).toBe(UNKNOWN);
    }
    const third = counters.begin(0);
    expect([third.wasAlone, third.before]).toEqual([true, UNKNOWN]);
    // A change of permission does not tell what is mapped.
    counters.end(third, UNKNOWN);
    expect(known(counters)).toBe(UNKNOWN);
    const fourth = counters.begin(0);
    expect(counters.wasSole(fourth)).toBe(true);
    counters.end(fourth, UNMAPPED);
    expect(known(counters)).toBe(UNMAPPED);
  });

  it('never knows a page again whose operation was killed', () => {
    const counters = oracle();
    counters.begin(0);
    for (let i = 0; i < 3; i++) counters.end(counters.begin(0), UNMAPPED);
    expect(known(counters)).toBe(UNKNOWN);
  });

  it('adds up what the threads count', () => {
    const counters = oracle();
    counters.count(0, 'mmap');
    counters.count(1, 'mmap');
    counters.count(1, 'async');
    expect(counters.totals()).toMatchObject({ mmap: 2, async: 1, munmap: 0 });
  });
});

describe('the judge', () => {
  it.each<[string, number, boolean, Refusal, boolean]>([
    ['a load of an unmapped page', UNMAPPED, false, 'SEGV_MAPERR', true],
    ['a load that finds something there', UNMAPPED, false, null, false],
    ['a wrong code', UNMAPPED, true, 'SEGV_ACCERR', false],
    ['a store to a writable page', stateOf(1, RW), true, null, true],
    ['a SIGSEGV though the counter did not move', stateOf(1, RW), false, 'SEGV_MAPERR', false],
    ['a store to a read-only page', stateOf(1, READ), true, 'SEGV_ACCERR', true],
    ['a store after mprotect that succeeds', stateOf(1, READ), true, null, false],
    ['a load of a read-only page', stateOf(1, READ), false, null, true],
    ['a load of a page of no permission', stateOf(1, NONE), false, 'SEGV_ACCERR', true],
    ['a load of it that succeeds', stateOf(1, NONE), false, null, false],
  ])('of %s', (_what, state, isWrite, refusal, isRight) => {
    const judge = new Judge(oracle(), 0, false);
    expect(judge.outcome(state, isWrite, refusal) === null).toBe(isRight);
  });

  it('allows an unmapped page to be used for a while under the lazy policy only', () => {
    const lazy = new Judge(oracle(), 0, true);
    expect(lazy.outcome(UNMAPPED, true, null)).toBeNull();
    expect(lazy.outcome(UNMAPPED, true, 'SEGV_ACCERR')).not.toBeNull();
    expect(lazy.outcome(stateOf(1, READ), true, null)).not.toBeNull();
  });

  it('wants stamps of this mapping, or none', () => {
    const judge = new Judge(oracle(), 1, false);
    const state = stateOf(5, RW);
    expect(judge.contents(0, 7, state, seen(0))).toBeNull();
    expect(judge.contents(0, 7, state, seen(5))).toBeNull();
    expect(judge.contents(0, 7, state, seen(7))).toBeNull();
    expect(judge.contents(0, 7, state, seen(4))).toContain('stamp 4 of thread 0');
    expect(judge.contents(0, 7, state, seen(8))).toContain('stamp 8 of thread 0');
    expect(judge.identity(9, 0)).toBeNull();
    expect(judge.identity(9, 9)).toBeNull();
    expect(judge.identity(9, 8)).toContain('another page');
  });

  it('excuses the stamp of a store that an operation overlapped, and no other', () => {
    const counters = oracle();
    const judge = new Judge(counters, 1, false);
    counters.end(counters.begin(0), UNMAPPED);
    counters.beginStore(0, 0, 1);
    const map = counters.begin(0);
    counters.end(map, stateOf(map.number, RW));
    const state = known(counters);
    // In progress, then done late.
    expect(judge.contents(0, 2, state, seen(1))).toBeNull();
    expect(counters.endStore(0, 0, 1, true)).toBe(false);
    expect(judge.contents(0, 2, state, seen(1))).toBeNull();
    expect(judge.contents(1, 2, state, seen(1))).not.toBeNull();
    counters.beginStore(1, 0, 0);
    expect(counters.endStore(1, 0, 0, true)).toBe(true);
    expect(counters.isExcused(1, 0, 3)).toBe(false);
  });

  it('wants its own stores back, until the next operation', () => {
    const judge = new Judge(oracle(), 0, false);
    const state = stateOf(1, RW);
    judge.remember(0, 1, 77);
    expect(judge.contents(0, 1, state, seen(1, 77))).toBeNull();
    expect(judge.contents(0, 1, state, seen(1, 76))).toContain('lost the store of 77');
    expect(judge.contents(0, 2, state, seen(1, 76))).toBeNull();
  });

  it('wants a read-only page to stay as it is', () => {
    const judge = new Judge(oracle(), 1, false);
    const state = stateOf(1, READ);
    expect(judge.contents(0, 1, state, seen(1, 5))).toBeNull();
    expect(judge.contents(0, 1, state, seen(1, 5))).toBeNull();
    expect(judge.contents(0, 1, state, seen(1, 6))).toContain('may only be read');
    expect(judge.contents(0, 2, state, seen(1, 7))).toBeNull();
  });
});

describe('the arena', () => {
  it('tracks pages on both sides of 4 MiB, and a span that holds half of them', () => {
    const span = wholeSpan(2);
    expect(span.address % 2 ** 22).toBe(0);
    expect(span.to).toBe(trackedPages(2));
    const first = pageRange(2, span.from, span.from + 1);
    const before = pageRange(2, span.from - 1, span.from);
    expect([first.address, before.address]).toEqual([span.address, span.address - 4096]);
  });
});
