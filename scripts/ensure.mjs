/**
 * Makes a fresh clone ready: checks the version of Node, installs from the lockfile when what is
 * installed differs from it, and builds dist/ when its inputs changed. It runs before start and
 * test, so it uses only node: modules until the packages are there. Everything it says goes to
 * stderr, because the command that follows may print a JSON document on stdout.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function checkNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Faultline needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(`${root}${path}`, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules holds what package-lock.json says. npm records what it installed in a hidden
 * lockfile; packages for other platforms are optional and missing there.
 */
function isInstalled() {
  const wanted = readLock('package-lock.json');
  const installed = readLock('node_modules/.package-lock.json');
  if (wanted === undefined || installed === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const present = installed[path];
    if (present === undefined ? !entry.optional : present.integrity !== entry.integrity) {
      return false;
    }
  }
  return Object.keys(installed).every((path) => path in wanted);
}

function install() {
  console.error('Installing packages from package-lock.json (npm ci) …');
  // Under `npm start` this is the very npm that runs us; it also works where npm is a .cmd file.
  const npmCli = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev'];
  const [command, commandArgs] = npmCli ? [process.execPath, [npmCli, ...args]] : ['npm', args];
  const { status, error } = spawnSync(command, commandArgs, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(error ? `npm ci did not start: ${error.message}` : `npm ci failed (${status}).`);
  process.exit(1);
}

checkNodeVersion();
if (!isInstalled()) install();
const { build } = await import('../build.mjs');
// Types are for `npm run typecheck` and for who installs the package: they need not stop a run.
if (!(await build({ types: false }))) process.exit(1);
