/**
 * Goal: the library runs in a browser. Method: dist/web alone is served to a headless Chromium,
 * which boots a machine and runs programs in it; Node's part is to watch.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditReport, ExitStatus } from 'faultline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStaticServer } from '../../scripts/static-server.mjs';
import type { StaticServer } from '../../scripts/static-server.mjs';
import { chromium, launchChromium, skipWithout } from '../support/needs.ts';

/** As a user would write it, beside the library's files. */
const programSource = `
import { defineProgram, MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from './web/program.js';
export default defineProgram(async (proc, name) => {
  const at = await proc.mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  for (let page = 0; page < 256; page++) proc.mem.store32(at + page * 4096, page);
  const fd = await proc.open('text');
  const { size } = await proc.fstat(fd);
  const text = proc.sync.mmap(0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  proc.print(new TextDecoder().decode(proc.mem.read(text, size)) + name);
  await proc.munmap(at, 1 << 20);
  proc.local.close(fd);
  return proc.sync.getpid() === proc.pid ? 0 : 1;
});`;

/** More pages than the machine has frames. */
const fillSource = `
import { defineProgram, MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from './web/program.js';
export default defineProgram(async (proc) => {
  const at = await proc.mmap(0, 600 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  for (let page = 0; page < 600; page++) proc.mem.store32(at + page * 4096, page);
  for (let page = 0; page < 600; page++) if (proc.mem.load32(at + page * 4096) !== page) return 1;
  return 0;
});`;

interface Outcome {
  readonly isolated: boolean;
  readonly lines: readonly string[];
  readonly statuses: readonly ExitStatus[];
  readonly audit: AuditReport;
}

/** Runs in the page. */
const script = `(async () => {
  const { boot } = await import('/web/index.js');
  const lines = [];
  const files = { text: '/greeting.txt' };
  const machine = await boot({ checked: true, files, onPrint: (line) => lines.push(line) });
  const text = (code) =>
    'data:text/javascript,export default () => {' + code + '; return new Promise(() => {}) }';
  const run = async (url, options) => (await machine.spawn(url, options)).wait();
  const statuses = [
    await run('/program.js', { args: ['browser'] }),
    await run('/program.js', { args: ['Worker'], dedicated: true }),
    await run('/web/programs/hello.js'),
    await run('data:text/javascript,export default (proc) => proc.mem.load8(0)'),
    await run(text('setTimeout(() => { throw new Error("boom") })')),
    await run(text('void Promise.reject(new Error("lost"))')),
    await run('/program.js', { args: ['again'] }),
  ];
  const killed = await machine.spawn(text('for (;;)'));
  await killed.kill();
  statuses.push(await killed.wait());
  const audit = await machine.audit();
  await machine.shutdown();
  return { isolated: crossOriginIsolated, lines, statuses, audit };
})()`;

/** Runs in the page. */
const swapScript = `(async () => {
  const { boot } = await import('/web/index.js');
  const machine = await boot({ memory: '1MiB', swap: '4MiB', checked: true });
  const status = await (await machine.spawn('/fill.js')).wait();
  const { counters } = await machine.stats();
  const { violations } = await machine.audit();
  await machine.shutdown();
  return { status, swapOuts: counters.swapOuts, violations };
})()`;

skipWithout(chromium)('in Chromium', () => {
  let folder: string;
  let server: StaticServer;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
    const web = fileURLToPath(new URL('../../dist/web', import.meta.url));
    cpSync(web, join(folder, 'web'), { recursive: true });
    writeFileSync(join(folder, 'program.js'), programSource);
    writeFileSync(join(folder, 'fill.js'), fillSource);
    writeFileSync(join(folder, 'greeting.txt'), 'hello from the ');
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Faultline</title>');
    server = await startStaticServer({ root: folder });
    browser = await launchChromium();
    page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(server.url);
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('runs processes that map, fault, trap and fail, and ends with a clean audit', async () => {
    const outcome: Outcome = await page.evaluate(script);
    expect(outcome.isolated).toBe(true);
    expect(outcome.statuses).toEqual([
      { code: 0 },
      { code: 0 },
      { code: 0 },
      expect.objectContaining({ signal: 'SIGSEGV', faultCode: 'SEGV_MAPERR', address: 0 }),
      expect.objectContaining({ signal: 'SIGABRT', reason: 'Error: boom' }),
      expect.objectContaining({ signal: 'SIGABRT', reason: 'Error: lost' }),
      { code: 0 },
      expect.objectContaining({ signal: 'SIGKILL' }),
    ]);
    expect(outcome.lines).toEqual([
      'hello from the browser',
      'hello from the Worker',
      expect.stringContaining('Hello from process'),
      'hello from the again',
    ]);
    expect(outcome.audit).toMatchObject({ clean: true, violations: [] });
    expect(errors).toEqual([]);
  });

  it('swaps to memory outside the machine', async () => {
    const outcome = await page.evaluate<{ swapOuts: number }>(swapScript);
    expect(outcome).toMatchObject({ status: { code: 0 }, violations: [] });
    expect(outcome.swapOuts).toBeGreaterThan(300);
  });
});
