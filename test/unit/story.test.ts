/**
 * Goal: a story is told in words, each line in its lane, and can be stepped through.
 * Method: stories written by hand, as text; the steps of their pages; the terms against the
 * glossary.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeDone } from '../../lab/explore/story/describe-result.ts';
import { formatStory } from '../../lab/explore/story/story-text.ts';
import type { Moment, Story } from '../../lab/explore/story/story.ts';
import { lanesOf } from '../../lab/explore/story/story.ts';
import { termNames, termsIn } from '../../lab/explore/story/terms.ts';
import { Stepper } from '../../lab/explore/story/view/stepper.ts';

const PLACE = 'lab/explore/model/scenarios/a-name-that-is-far-too-long-for-any-lane.ts:47';

function moment(cpu: number, text: string, more: Partial<Moment> = {}): Moment {
  const usual = {
    step: 1,
    place: '',
    kind: 'access',
    isMinor: false,
    skipped: 0,
    state: 0,
  } as const;
  return { ...usual, cpu, text, ...more };
}

function story(cpus: number, moments: readonly Moment[], more: Partial<Story> = {}): Story {
  const modes = Array.from({ length: cpus }, () => 'user mode, process 1');
  return {
    ...{ title: 's under rcu', about: 'it is about this', bug: '', kind: 'race', failure: 'none' },
    ...{ wrong: 'It went wrong.', happened: '', expected: [], decisive: null, terms: [] },
    operations: modes.map((_, cpu) => `read page ${cpu}, write 7 to page 0`),
    states: [{ modes, tables: [], tlbs: [] }],
    moments,
    ...more,
  };
}

describe('a story', () => {
  it('keeps each line in the lane of its CPU, and names the decisive switch', () => {
    const moments = [0, 1].map((cpu) =>
      moment(cpu, 'reads the state of slot 3: 1', { place: PLACE }),
    );
    const decisive = { moment: 1, text: 'the decisive switch: here' };
    expect(
      formatStory(story(2, moments, { decisive }), 70)
        .split('\n')
        .slice(6),
    ).toEqual([
      'CPU 0                               CPU 1',
      'reads the state of slot 3: 1',
      '    model/scenarios/',
      '    a-name-that-is-far-too-long-fo',
      '    r-any-lane.ts:47',
      '',
      '>>> the decisive switch: here',
      '',
      '                                    reads the state of slot 3: 1',
      '                                        model/scenarios/',
      '                                        a-name-that-is-far-too-long-fo',
      '                                        r-any-lane.ts:47',
    ]);
  });

  it.each([20, 40, 80, 120])('with five CPUs is nowhere wider than %d columns', (columns) => {
    const long =
      'changes the entry of page 0 to frame 7, read only, copy-on-write, accessed, dirty';
    const moments = [0, 1, 2, 3, 4].map((cpu) => moment(cpu, long, { place: PLACE, skipped: 9 }));
    const terms = [['frame', long]] as const;
    const text = formatStory(story(5, moments, { wrong: long + long, bug: long, terms }), columns);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
  });

  it('collapses CPUs that only wait, and counts what is left out', () => {
    const moments = [
      moment(0, 'read page 0', { kind: 'operation' }),
      moment(2, 'waits for the lock', { kind: 'wait' }),
      moment(0, 'reads something', { isMinor: true, skipped: 2 }),
      moment(0, '→ 7', { kind: 'result', skipped: 3 }),
    ];
    const told = story(3, moments);
    expect(lanesOf(told)).toEqual([0]);
    const text = formatStory(told, 80);
    expect(text).toContain('CPU 2 takes no step: user mode, process 1, before read page 2');
    expect(text).toContain('[read page 0]\n… 6 other accesses\n→ 7');
    expect(text).not.toContain('waits for the lock');
  });

  it('gives results by name, with the page', () => {
    const read = { name: 'read page 2', page: 2, run: () => 0 };
    expect(describeDone(read, -1003)).toBe('read page 2 → SIGSEGV at page 2, not permitted');
    expect(describeDone(read, -2009)).toBe('read page 2 → ended by SIGKILL');
    expect(describeDone(read, undefined)).toBe('read page 2 → no end');
    const mmap = { name: 'mmap page 3', run: () => 0 };
    expect(describeDone(mmap, 2 ** 32 + 3 * 4096)).toBe('mmap page 3 → address of page 3');
    expect(describeDone(mmap, -12)).toBe('mmap page 3 → ENOMEM');
    const fault = { name: 'fault on page 1', page: 1, returns: 'fault', run: () => 0 } as const;
    expect(describeDone(fault, 2)).toBe('fault on page 1 → SIGSEGV, nothing is mapped');
  });

  it('has one glossary with docs/glossary.md', () => {
    const page = readFileSync(new URL('../../docs/glossary.md', import.meta.url), 'utf8');
    const bold = [...page.matchAll(/\*\*([^*]+)\*\*/g)].map(([, name = '']) => name);
    const isThere = (name: string): boolean =>
      bold.some((one) => one === name || one.split(', ').includes(name));
    const missing = termNames().filter((name) => !isThere(name));
    expect(missing).toEqual([]);
    expect(termsIn('changes the entry of page 0 to empty').map(([name]) => name)).toEqual([
      'entry',
    ]);
  });
});

describe('the steps of a story', () => {
  const moments = [0, 1, 2, 3].map((i) => moment(0, String(i), { isMinor: i === 1 || i === 3 }));

  it('go forwards and backwards over what is shown, and stop at the ends', () => {
    const stepper = new Stepper(moments);
    const seen: number[] = [];
    stepper.onChange(() => seen.push(stepper.moment));
    for (const by of [1, 1, -1, -1]) stepper.go(stepper.position + by);
    expect(seen).toEqual([2, 2, 0, 0]);
    expect(stepper.before).toBe(-1);
  });

  it('keep the moment when minor ones are shown, or the one before it', () => {
    const stepper = new Stepper(moments);
    stepper.go(1);
    stepper.showMinor(true);
    expect([stepper.count, stepper.moment, stepper.before]).toEqual([4, 2, 1]);
    stepper.go(3);
    stepper.showMinor(false);
    expect([stepper.count, stepper.moment]).toEqual([2, 2]);
  });
});
