/**
 * Goal: the lab's page is controlled as its buttons say, and gets shared memory from any host that
 * it can. Method: a scripted user in Chromium, and hosts that send no headers; `npm run test:web`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LabPage, booted, pageFolder, press } from '../support/lab-page.ts';
import { chromium, skipWithout, wholePage } from '../support/needs.ts';

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

skipWithout(chromium, wholePage)('the page', () => {
  let lab: LabPage;

  beforeAll(async () => (lab = await LabPage.start()));
  afterAll(() => lab.stop());

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
});
