// The rows of `faultline bench` that need nothing of the host, in Chromium: accesses, bulk
// operations, faults and local system calls. The table in docs/performance.md.
// Usage: node build.mjs && node lab/figures/chromium.mjs   (CHROMIUM names the browser)
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { startStaticServer } from '../../scripts/static-server.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

const program = `
  import { defineProgram } from './workers/program.ts';
  import { bulkFigures, hitFigures } from './lab/bench/floors/memory-loops.ts';
  import { localFigures, zeroedFigures } from './lab/bench/floors/kernel-loops.ts';
  export default defineProgram(async (proc) => {
    const figures = { ...hitFigures(proc), ...bulkFigures(proc), ...localFigures(proc) };
    proc.print(JSON.stringify({ ...figures, ...(await zeroedFigures(proc)) }));
    return 0;
  });
`;

const script = `(async () => {
  const { boot } = await import('/web/index.js');
  const lines = [];
  const onPrint = (line) => lines.push(line);
  const machine = await boot({ memory: '128MiB', cpus: 1, prezero: '16MiB', onPrint });
  const handle = await machine.spawn(new URL('/program.js', location.href).href);
  const status = await handle.wait();
  const { violations } = await machine.audit();
  await machine.shutdown();
  return { status, violations, figures: JSON.parse(lines.at(-1) ?? '{}') };
})()`;

const folder = mkdtempSync(join(tmpdir(), 'faultline-figures-'));
cpSync(join(root, 'dist/web'), join(folder, 'web'), { recursive: true });
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Faultline</title>');
await build({
  stdin: { contents: program, resolveDir: root, loader: 'ts' },
  outfile: join(folder, 'program.js'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
});
const server = await startStaticServer({ root: folder });
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  await page.goto(server.url);
  const { status, violations, figures } = await page.evaluate(script);
  console.log(`Chromium ${browser.version()}`, JSON.stringify(status), violations.join('; '));
  for (const [name, ns] of Object.entries(figures)) {
    const raw = figures[`${name}Raw`];
    const ratio = raw === undefined ? '' : `  ${(ns / raw).toFixed(2)}`;
    if (!name.endsWith('Raw'))
      console.log(`${name.padEnd(16)}${ns.toFixed(2).padStart(10)} ns${ratio}`);
  }
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}
