/**
 * Goal: the lab's page boots a machine and shows it, wherever it is served from. Method: the built
 * page in Chromium, used as a reader would; `npm run test:web` does the rest.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStaticServer } from '../../scripts/static-server.mjs';
import {
  LabPage,
  booted,
  pageFolder,
  press,
  resultOf,
  show,
  viewTitles,
} from '../support/lab-page.ts';
import { chromium, skipWithout } from '../support/needs.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
};

/** A host that sends no headers of its own, as most static hosts. */
async function plainHost(withWorker: boolean): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://x').pathname.replace(/\/$/, '/index.html');
    const path = join(pageFolder, name);
    const isThere = existsSync(path) && (withWorker || !name.includes('service-worker'));
    const type = types[/\.\w+$/.exec(name)?.[0] ?? ''] ?? 'text/plain';
    response.writeHead(isThere ? 200 : 404, { 'Content-Type': type });
    response.end(isThere ? readFileSync(path) : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

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

  it('pauses, steps and goes on', async () => {
    const page = await lab.open('memory=4MiB');
    await press(page, 'Pause');
    const status = page.locator('#status');
    expect(await status.innerText()).toBe('paused');
    await page.locator('.card.mode-stopped, .card.mode-kernel').first().waitFor();
    await press(page, 'Step');
    await press(page, 'Run');
    await page.locator('.card.mode-idle').first().waitFor();
    await press(page, 'Reset');
    await booted(page);
    await page.context().close();
  });

  it('gets shared memory by its service worker from a host without headers', async () => {
    const host = await plainHost(true);
    const page = await (await lab.browser.newContext()).newPage();
    await page.goto(host.url);
    await booted(page);
    expect(await page.evaluate('crossOriginIsolated')).toBe(true);
    await page.context().close();
    host.close();
  });

  it('says what is missing where nothing adds the headers', async () => {
    const host = await plainHost(false);
    const page = await (await lab.browser.newContext()).newPage();
    await page.goto(host.url);
    const notice = await page.getByRole('alert').innerText();
    expect(notice).toMatch(
      /^Shared memory is missing, because .*: serve the page with Cross-Origin/,
    );
    expect(notice).toContain('Cross-Origin-Embedder-Policy: require-corp');
    await page.context().close();
    host.close();
  });

  it('has no more of the library than the ten lines of docs/examples/page have', async () => {
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
