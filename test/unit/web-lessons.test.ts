/** Goal: lessons are well-formed, and their checks say what was done. Method: the files, read. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BOOT_CHOICES } from '../../web/core/link.ts';
import type { BootKey } from '../../web/core/link.ts';
import type { HandCall } from '../../web/hand/hand-messages.ts';
import type { Condition, Lesson } from '../../web/lessons/lesson.ts';
import { MEASURES } from '../../web/lessons/measures.ts';
import { StepCheck } from '../../web/lessons/step-check.ts';
import { lineOfError, withPackageUrl } from '../../web/views/program-editor.ts';

const folder = new URL('../../web/lessons/', import.meta.url);
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
const names = read('index') as readonly string[];
const calls = 'mmap read write mprotect munmap discard fill busy fork thread exit'.split(' ');
const conditionKeys = [
  ...['call', 'error', 'elsewhere', 'measure', 'atLeast', 'rises', 'falls', 'program', 'reply'],
];

describe('lessons', () => {
  it('are all in the index', () => {
    const files = readdirSync(folder).filter((file) => /^[a-z0-9-]+\.json$/.test(file));
    expect(files.map((file) => file.replace('.json', '')).sort()).toEqual(
      [...names, 'index'].sort(),
    );
    expect(names.length).toBeGreaterThanOrEqual(6);
  });

  it.each(names)('%s has steps that can be checked', (name) => {
    const { title, about, boot = {}, steps } = read(name) as Lesson;
    for (const text of [title, about]) expect(text).toMatch(/\w/);
    for (const [key, value] of Object.entries(boot)) {
      expect(BOOT_CHOICES[key as BootKey]).toContain(value);
    }
    expect(steps.length).toBeGreaterThan(0);
    for (const step of steps) {
      expect(step.do).toMatch(/\w/);
      expect(step.why).toMatch(/\w/);
      expect(step.check.length).toBeGreaterThan(0);
      for (const condition of step.check) {
        expect(conditionKeys).toEqual(expect.arrayContaining(Object.keys(condition)));
        const { call, measure, program, reply } = condition;
        if (call !== undefined) expect(calls).toContain(call);
        else if (measure !== undefined) expect(Object.keys(MEASURES)).toContain(measure);
        else expect(program ?? reply).toMatch(/\w/);
      }
    }
  });
});

describe('a step', () => {
  let value = 10;
  const check = (...conditions: readonly Condition[]): StepCheck =>
    new StepCheck({ do: '', why: '', check: conditions }, { measure: () => value, handPid: 1 });
  const called = (step: StepCheck, pid: number, error: string | null): void => {
    const what: HandCall = { call: 'write', address: 0, value: 1 };
    step.called({ pid, what, reply: { id: 1, result: 0, error }, path: [] });
  };

  it('is done when all of its conditions were true once, in any order', () => {
    value = 10;
    const step = check({ call: 'write' }, { measure: 'resident', rises: 2 }, { reply: 'Yes' });
    step.look();
    expect([step.isDone, step.asks]).toEqual([false, true]);
    value = 12;
    step.look();
    value = 10;
    called(step, 1, null);
    expect(step.isDone).toBe(false);
    expect(step.replied('no')).toBe(false);
    expect(step.replied(' yes ')).toBe(true);
    expect(step.isDone).toBe(true);
  });

  it('tells calls apart by their outcome and by who made them', () => {
    const fails = check({ call: 'write', error: 'SIGSEGV SEGV_ACCERR' });
    called(fails, 1, null);
    expect(fails.isDone).toBe(false);
    called(fails, 1, 'SIGSEGV SEGV_ACCERR');
    expect(fails.isDone).toBe(true);
    const elsewhere = check({ call: 'write', elsewhere: true });
    called(elsewhere, 1, null);
    expect(elsewhere.isDone).toBe(false);
    called(elsewhere, 2, null);
    expect(elsewhere.isDone).toBe(true);
  });

  it('compares measures with their value at its beginning, or with a number', () => {
    value = 10;
    const steps = [
      check({ measure: 'x', rises: 1 }),
      check({ measure: 'x', falls: 1 }),
      check({ measure: 'x', atLeast: 11 }),
      check({ measure: 'x', atLeast: 10 }),
    ];
    const done = (): boolean[] => steps.map((step) => (step.look(), step.isDone));
    expect(done()).toEqual([false, false, false, true]);
    value = 9;
    expect(done()).toEqual([false, true, false, true]);
    value = 11;
    expect(done()).toEqual([true, true, true, true]);
  });
});

describe('a program that is written in the page', () => {
  it('imports the package by the URL of its file', () => {
    const url = 'http://x/program.js';
    expect(withPackageUrl(`import { a }\n  from 'faultline/program';`, url)).toContain(`'${url}'`);
    expect(withPackageUrl('import("faultline/program")', url)).toBe(`import("${url}")`);
    expect(withPackageUrl(`const text = 'faultline/program';`, url)).not.toContain(url);
  });

  it('has its errors at their line', () => {
    const url = 'blob:http://127.0.0.1:1/0-1';
    expect(lineOfError(`Error: x\n    at f (${url}:12:3)`, url)).toBe(12);
    expect(lineOfError('Error: x\n    at other.js:1:1', url)).toBe(null);
  });
});
