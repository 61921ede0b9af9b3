/**
 * Goal: the lab's page boots a machine and shows it, wherever it is served from. Method: the built
 * page in Chromium, used as a reader would; `npm run test:web` does the rest.
 */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStaticServer } from '../../scripts/static-server.mjs';
import { LabPage, pageFolder, press, resultOf, show, viewTitles } from '../support/lab-page.ts';
import { chromium, skipWithout } from '../support/needs.ts';

it('weighs less than 300 KB gzipped', () => {
  const scripts = readdirSync(pageFolder).filter((name) => /\.(js|css|html)$/.test(name));
  const bytes = scripts.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(pageFolder, name))).length,
    0,
  );
  console.log(`the page, its charts and the machine: ${(bytes / 1000).toFixed(0)} KB gzipped`);
  expect(bytes).toBeLessThan(300_000);
});

skipWithout(chromium)('the page', () => {
  let lab: LabPage;

  beforeAll(async () => (lab = await LabPage.start()));
  afterAll(() => lab.stop());

  it('shows every view of a running machine, and complains of nothing', async () => {
    const page = await lab.open('program=hello&memory=4MiB');
    for (const title of viewTitles) {
      await show(page, title);
      await page.getByRole('region', { name: title, exact: true }).waitFor();
    }
    await show(page, 'Programs');
    await page
      .getByRole('log')
      .getByText(/Hello from process \d+ on CPU/)
      .waitFor();
    await page.getByRole('log').getByText('hello exited with code 0').waitFor();
    expect(page.url()).toMatch(/#view=programs&memory=4MiB&program=hello$/);
    expect(lab.complaints.splice(0)).toEqual([]);
    await page.context().close();
  });

  it('touches a page by hand, and tells the way of the fault', async () => {
    const page = await lab.open('view=space&memory=4MiB');
    await press(page, 'Map');
    await resultOf(page, /^mmap, 8 pages by process 1: mapped at 0x/);
    await press(page, 'Write');
    await resultOf(page, /^write 0x\w+ by process 1: done/);
    const path = await page.locator('ol.path').innerText();
    expect(path).toMatch(/Level 2, table in frame \d+.*: empty|next table/);
    expect(path).toContain('never used: the page gets a zeroed frame of its own');
    await page.locator('ol.path summary', { hasText: 'enterZeroed' }).first().click();
    await page.locator('ol.path pre').getByText('export function enterZeroed(').first().waitFor();
    await page
      .locator('.tree')
      .getByText(/page rw- accessed dirty, frame \d+/)
      .waitFor();
    await press(page, 'Unmap');
    await resultOf(page, /^munmap/);
    await press(page, 'Read');
    await resultOf(page, /SIGSEGV SEGV_MAPERR$/);
    expect(lab.complaints.splice(0)).toEqual([]);
    await page.context().close();
  });

  it('is the library of docs/examples/page, which boots a machine in ten lines', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
    const example = fileURLToPath(new URL('../../docs/examples/page', import.meta.url));
    cpSync(example, folder, { recursive: true });
    cpSync(pageFolder, join(folder, 'faultline'), { recursive: true });
    const server = await startStaticServer({ root: folder });
    const page = await (await lab.browser.newContext()).newPage();
    await page.goto(server.url);
    await page.getByText(/^Hello from process 1 on CPU \d/).waitFor();
    await page.context().close();
    await server.close();
    rmSync(folder, { recursive: true });
  });
});
