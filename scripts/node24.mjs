/**
 * Runs the tests (vitest only) on Node 24. Arguments go to vitest.
 *
 * The runtime comes from npm as node-PLATFORM-ARCH and is kept in .cache/, outside the lockfile: it
 * takes 190 MB, and a package for one platform in the lock would make `npm ci` fail on the others.
 * Exit status 75 means that Node 24 could not be had, so nothing was tested.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const unavailableStatus = 75;
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, '.cache', 'node24');
const platform = process.platform === 'win32' ? 'win' : process.platform;
const runtimePackage = `node-${platform}-${process.arch}`;

function findNode24() {
  if (process.versions.node.startsWith('24.')) return process.execPath;
  const binary = platform === 'win' ? 'node.exe' : 'node';
  const path = join(cache, 'node_modules', runtimePackage, 'bin', binary);
  if (existsSync(path)) return path;
  const npmCli = process.env.npm_execpath;
  const args = ['install', '--prefix', cache, '--no-save', '--no-audit', '--no-fund'];
  args.push('--no-package-lock', `${runtimePackage}@24`);
  const [command, commandArgs] = npmCli ? [process.execPath, [npmCli, ...args]] : ['npm', args];
  spawnSync(command, commandArgs, { cwd: root, stdio: ['ignore', 2, 2], timeout: 180_000 });
  return existsSync(path) ? path : undefined;
}

const node = findNode24();
if (node === undefined) {
  console.error(`Node 24 is not available: ${runtimePackage}@24 could not be installed.`);
  process.exit(unavailableStatus);
}
// The tests start `node` and `npm` themselves: they must meet the same version.
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` };
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = [vitest, 'run', ...process.argv.slice(2)];
const { status } = spawnSync(node, args, { cwd: root, stdio: 'inherit', env });
process.exit(status ?? 1);
