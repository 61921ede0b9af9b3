/**
 * Goal: each lesson can be done as it is written, and knows when it was. Method: a scripted user in
 * Chromium, who does each step through the page's own controls; `npm run test:web` runs it.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LabPage, press, resultOf } from '../support/lab-page.ts';
import { chromium, skipWithout, wholePage } from '../support/needs.ts';

type Step = (page: Page) => Promise<unknown>;

/** Presses a button that makes a call, and waits for what it says. */
const call =
  (name: string, result: RegExp): Step =>
  async (page) => {
    await press(page, name);
    await resultOf(page, result);
  };
const type =
  (label: string, value: string): Step =>
  (page) =>
    page.getByLabel(label, { exact: true }).fill(value);
const choose =
  (label: string, value: string): Step =>
  (page) =>
    page.locator('label').filter({ hasText: label }).locator('select').selectOption(value);
const answer =
  (text: string): Step =>
  async (page) => {
    await page.getByLabel('Your answer').fill(text);
    await press(page, 'Answer');
  };
const cell =
  (selector: string): Step =>
  (page) =>
    page.locator(`.cells ${selector}`).first().click();
const all =
  (...steps: readonly Step[]): Step =>
  async (page) => {
    for (const step of steps) await step(page);
  };

const map = call('Map', /^mmap, .* mapped at 0x/);
const read = call('Read', /^read .*: read \d+$/);
const write = call('Write', /^write .*: done$/);
const writeAll = call('Write all', /pages written$/);
const protect = call('Protect', /^mprotect .*: done$/);
const unmap = call('Unmap', /^munmap .*: done$/);
const fork = call('Fork', /child is process 2$/);
const first = choose('Process', '1');
const second = choose('Process', '2');

/** What the user does in each step of each lesson. */
const scripts: Readonly<Record<string, readonly Step[]>> = {
  'lazy-allocation': [
    all(type('Pages', '64'), map),
    answer('0'),
    write,
    all(cell('.cell:nth-child(6)'), read),
    write,
    all(cell('.cell'), call('Discard', /^discard .*: done$/)),
  ],
  'protection-faults': [
    all(map, write),
    all(choose('Permission', 'r--'), protect),
    call('Write', /SIGSEGV SEGV_ACCERR$/),
    read,
    all(unmap, call('Read', /SIGSEGV SEGV_MAPERR$/)),
  ],
  'copy-on-write': [all(map, writeAll), fork, answer('Copy-on-write'), write, all(second, write)],
  'shared-memory': [
    all(choose('Mapping', 'shared'), type('Pages', '4'), map, writeAll),
    fork,
    all(second, write),
    all(first, read),
  ],
  'tlb-shootdown': [
    all(map, write),
    call('Thread', /thread is process 2$/),
    all(
      choose('Permission', 'r--'),
      second,
      (page) => press(page, 'Keep writing'),
      first,
      (page) => press(page, 'Protect'),
    ),
    all((page) => page.getByText(/busy .*SEGV_ACCERR$/).waitFor(), answer('segv_accerr')),
  ],
  swapping: [
    all(type('Pages', '400'), map),
    writeAll,
    all(cell('.cell.kind-swapped'), read),
    all(cell('.cell'), unmap),
  ],
};

skipWithout(chromium, wholePage)('the lessons', () => {
  let lab: LabPage;

  beforeAll(async () => (lab = await LabPage.start()));
  afterAll(() => lab.stop());

  it('have all a script here', async () => {
    const names = (await (await fetch(`${lab.server.url}lessons/index.json`)).json()) as string[];
    expect(Object.keys(scripts)).toEqual(names);
  });

  it.each(Object.keys(scripts))('%s', { timeout: 60_000 }, async (name) => {
    const page = await lab.open(`view=space&lesson=${name}`);
    const lesson = page.getByRole('complementary', { name: 'Lesson' });
    const steps = scripts[name] ?? [];
    for (const [i, step] of steps.entries()) {
      await lesson.getByText(`step ${i + 1} of ${steps.length}`).waitFor();
      expect(await lesson.locator('.done').count(), 'is not done before it is begun').toBe(0);
      await step(page);
      await lesson.locator('.done').waitFor();
      await lesson.getByRole('button', { name: 'Next' }).click();
    }
    await lesson.getByText('That was the last step.').waitFor();
    await lesson.getByRole('button', { name: 'Lessons' }).click();
    await page.getByText(`${steps.length} of ${steps.length} steps done`).waitFor();
    expect(lab.complaints.splice(0)).toEqual([]);
    await page.context().close();
  });

  it('are not content with a wrong answer, and keep progress in the browser', async () => {
    const page = await lab.open('view=space&lesson=lazy-allocation');
    await all(type('Pages', '64'), map)(page);
    await press(page, 'Next');
    await answer('64')(page);
    await page.getByText('Not so: look again.').waitFor();
    await page.goto(`${lab.server.url}#view=lessons&answers=1`);
    await page.reload();
    await page.getByText('1 of 6 steps done').waitFor();
    await page.getByText('Answer: 0.').waitFor();
    await page.context().close();
  });
});
