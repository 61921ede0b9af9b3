/**
 * Goal: a program that uses up the JavaScript heap ends itself, or at worst its Worker, and never
 * the machine.
 * Method: a Node with a heap of 48 MiB; the program enters the kernel all the time meanwhile.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import '../support/needs-build.ts';

const script = fileURLToPath(new URL('../fixtures/exhaust-heap.mjs', import.meta.url));

async function exhaust(how: string): Promise<Record<string, unknown>> {
  const args = ['--max-old-space-size=48', script, how];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

it.each([
  ['local', /"SIGABRT","reason":"JavaScript heap exhausted: \d\d of 48 MiB are in use"/],
  ['big', /"signal":"SIG(ABRT|KILL)"/],
  ['memory', /"signal":"SIG(ABRT|KILL)"/],
])('by %s', async (how, ending) => {
  const { status, ...others } = await exhaust(how);
  expect(JSON.stringify(status)).toMatch(ending);
  expect(others).toEqual({ next: { code: 7 }, clean: true });
});
