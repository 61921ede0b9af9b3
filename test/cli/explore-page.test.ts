/**
 * Goal: the page of a failure can be stepped through by keys, buttons and slider, with the machine
 * and the source beside; it fits on a telephone and needs nothing else.
 * Method: the page of a mutant's failure in Chromium, wide and narrow, light and dark.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { faultline } from '../support/command.ts';
import { chromium, launchChromium, skipWithout } from '../support/needs.ts';

skipWithout(chromium)('the page of a failure', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-page-'));
  const file = join(folder, 'failure.html');
  const problems: string[] = [];
  let browser: Browser;

  beforeAll(async () => {
    const args = ['--mutant', 'double-map', '--html', file];
    expect(await faultline('explore', ...args)).toMatchObject({ status: 1 });
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function open(width: number, colorScheme: 'light' | 'dark'): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) problems.push(request.url());
    });
    await page.goto(`file://${file}`);
    return page;
  }

  it('steps forwards and backwards, and shows the page table of that moment', async () => {
    const page = await open(1600, 'light');
    const present = page.locator('[aria-current=step]');
    const entry = page.locator('.state table', { hasText: 'Page table' }).locator('td').first();
    expect(await present.textContent()).toBe('write 7 to page 0');
    expect(await entry.textContent()).toContain('not present');
    await page.getByRole('button', { name: 'Last' }).click();
    expect(await entry.textContent()).toContain('frame 9');
    await page.keyboard.press('ArrowLeft');
    const before = await present.textContent();
    await page.keyboard.press('ArrowRight');
    expect(await present.textContent()).not.toBe(before);
    await page.getByRole('slider').fill('0');
    expect(await present.textContent()).toBe('write 7 to page 0');
    await page.getByRole('button', { name: 'Forward' }).click();
    expect(await page.locator('.status').textContent()).toMatch(/^Step 2 of \d+\. CPU 0: reads/);
    const few = await page.locator('.lanes tbody tr:visible').count();
    await page.getByLabel('every access').check();
    expect(await page.locator('.lanes tbody tr:visible').count()).toBeGreaterThan(few);
    await page.close();
  }, 30_000);

  it('shows the source of a place that has the focus, and marks its line', async () => {
    const page = await open(1600, 'light');
    const place = page.locator('.place:visible').first();
    const [name = '', line = ''] = ((await place.textContent()) ?? '').split(':');
    await place.focus();
    expect(await page.locator('.source').textContent()).toContain(`kernel/${name}`);
    expect(await page.locator('.source .here').textContent()).toMatch(new RegExp(`^ *${line} `));
    await page.close();
  }, 30_000);

  it.each([
    [1600, 'dark'],
    [420, 'light'],
    [420, 'dark'],
  ] as const)(
    'fits %d pixels, %s',
    async (width, scheme) => {
      const page = await open(width, scheme);
      await page.keyboard.press('End');
      const widest = (): number => document.documentElement.scrollWidth;
      expect(await page.evaluate(widest)).toBe(width);
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(paper === 'rgb(255, 255, 255)').toBe(scheme === 'light');
      await page.close();
    },
    30_000,
  );

  it('needs nothing else, and says nothing on the console', () => {
    expect(readFileSync(file, 'utf8')).not.toMatch(/\s(src|href)=|@import|url\(/);
    expect(problems).toEqual([]);
  });
});
