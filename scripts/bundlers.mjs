/**
 * Runs the tests that need bundlers and an old TypeScript. Those are installed into .cache/,
 * outside the lockfile: they take 120 MB, and who only works on the machine does not need them.
 * Exit status 75 means that they could not be had, so nothing was tested.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const unavailableStatus = 75;
const cache = fileURLToPath(new URL('../.cache/bundlers', import.meta.url));
const packages = [
  'vite7@npm:vite@7.3.8',
  'vite8@npm:vite@8.4.0',
  'webpack@5.113.0',
  // The oldest that reads our declarations: see README.md.
  'typescript-oldest@npm:typescript@5.7.3',
];

mkdirSync(cache, { recursive: true });
writeFileSync(join(cache, 'package.json'), '{ "private": true }\n');
const npmCli = process.env.npm_execpath;
const args = ['install', '--prefix', cache, '--prefer-offline', '--no-audit', '--no-fund'];
args.push('--no-package-lock', '--no-save', ...packages);
const [command, commandArgs] = npmCli ? [process.execPath, [npmCli, ...args]] : ['npm', args];
const { status } = spawnSync(command, commandArgs, { stdio: ['ignore', 2, 2], timeout: 180_000 });
if (status !== 0) process.exit(unavailableStatus);

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const tests = ['test/package/bundlers.test.ts', 'test/package/old-typescript.test.ts'];
const env = { ...process.env, FAULTLINE_BUNDLERS: join(cache, 'node_modules') };
const tested = spawnSync(process.execPath, [vitest, 'run', ...tests], {
  cwd: root,
  stdio: 'inherit',
  env,
});
process.exit(tested.status ?? 1);
