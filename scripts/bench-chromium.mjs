/**
 * The rows of `faultline bench` that need nothing of the host, measured once in Chromium: accesses,
 * bulk operations, faults and local system calls. Floors of the host's are left out.
 *
 *   node build.mjs && node scripts/bench-chromium.mjs   (CHROMIUM names the browser)
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { startStaticServer } from './static-server.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const program = `
  import { defineProgram } from './workers/program.ts';
  import { FLOOR_ROWS } from './lab/bench/machine/floor-rows.ts';
  import { bulkFigures, hitFigures } from './lab/bench/machine/memory-loops.ts';
  import { localFigures, zeroedFaultNs } from './lab/bench/machine/kernel-loops.ts';
  export default defineProgram(async (proc) => {
    const figures = {
      host: { fault: NaN, cycle: NaN },
      hits: hitFigures(proc),
      bulk: bulkFigures(proc),
      local: localFigures(proc),
      zeroed: await zeroedFaultNs(proc),
    };
    for (const { name, sources, value, floorOf } of FLOOR_ROWS) {
      if (!sources.every((source) => source in figures)) continue;
      const ratio = value(figures) / floorOf(figures);
      const ns = value(figures).toFixed(2).padStart(10);
      proc.print(name.padEnd(18) + ns + ' ns  ' + (Number.isNaN(ratio) ? '' : ratio.toFixed(2)));
    }
    return 0;
  });
`;

/** Runs in the page. */
const script = `(async () => {
  const { boot } = await import('/web/index.js');
  const lines = [];
  const onPrint = (line) => lines.push(line);
  const machine = await boot({ memory: '128MiB', cpus: 1, prezero: '16MiB', onPrint });
  const handle = await machine.spawn(new URL('/program.js', location.href).href);
  const status = await handle.wait();
  const { violations } = await machine.audit();
  await machine.shutdown();
  return [JSON.stringify(status), ...violations, ...lines];
})()`;

const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
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
  console.log(`Chromium ${browser.version()}`);
  for (const line of await page.evaluate(script)) console.log(line);
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true });
}
