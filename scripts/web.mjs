/**
 * The lab's page, for hosts and tests.
 *
 *   node scripts/web.mjs build   copies the page and what it needs to web-dist/
 *   node scripts/web.mjs test    runs all of the page's tests (CHROMIUM names the browser)
 */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from '../build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

async function buildPage() {
  if (!(await build({ types: false }))) return 1;
  rmSync(`${root}web-dist`, { recursive: true, force: true });
  cpSync(`${root}dist/web`, `${root}web-dist`, { recursive: true });
  console.log('The page is in web-dist/: put these files on any static host.');
  return 0;
}

function testPage() {
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  const args = [vitest, 'run', 'test/machine/lab-page', 'test/unit/web-'];
  const env = { ...process.env, FAULTLINE_WEB: '1' };
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}

process.exitCode = process.argv[2] === 'test' ? testPage() : await buildPage();
