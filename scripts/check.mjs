/**
 * `npm run check`: everything that can be said without a built machine, in less than a minute.
 * `npm test`: the same, then all other tests. `npm test -- NAME…`: the test files whose path
 * contains a NAME, and nothing else; further arguments are vitest's.
 *
 * Static checks run side by side, two at a time, and keep what they found out in .cache/. A lint
 * rule that looks at types may miss what an edit in another file has changed, so CI uses no cache.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = `${root}node_modules/`;

const cached = (name) =>
  process.env.CI ? [] : ['--cache', '--cache-strategy', 'content', '--cache-location', name];
const vitest = (...args) => [`${modules}vitest/vitest.mjs`, 'run', ...args];

/** The longest first. */
const staticChecks = {
  lint: [`${modules}eslint/bin/eslint.js`, '.', ...cached('.cache/eslint')],
  types: [`${modules}typescript/bin/tsc`, '-p', '.'],
  format: [
    `${modules}prettier/bin/prettier.cjs`,
    ...['--check', '--log-level', 'warn', '.'],
    ...cached('.cache/prettier'),
  ],
};

/** Runs `node ARGS`; resolves to its status and what it printed, unless that went to the screen. */
function run(args, stdio) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', stdio, stdio] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.on('error', (error) => resolve({ status: 1, output: `${error.message}\n` }));
    child.on('close', (status) => resolve({ status: status ?? 1, output }));
  });
}

async function runCheck([name, args]) {
  const startedMs = performance.now();
  const { status, output } = await run(args, 'pipe');
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) process.stdout.write(output);
  return status === 0;
}

/** Whether all checks passed; two run at a time. */
async function runChecks(checks) {
  const queue = Object.entries(checks);
  console.log(`Checking: ${queue.map(([name]) => name).join(', ')} …`);
  let passed = true;
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      passed = (await runCheck(next)) && passed;
    }
  };
  await Promise.all([lane(), lane()]);
  return passed;
}

async function main([command, ...args]) {
  if (command === 'test' && args.length > 0) return (await run(vitest(...args), 'inherit')).status;
  if (command === 'test') {
    if (!(await runChecks(staticChecks))) return 1;
    return (await run(vitest(), 'inherit')).status;
  }
  const projects = ['unit', 'house'].flatMap((name) => ['--project', name]);
  const { lint, types } = staticChecks;
  const tests = vitest(...projects, '--reporter', 'dot');
  return (await runChecks({ lint, types, tests })) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
