/**
 * Goal: the programs of docs/processes.md run and print what the page says. Method: each block of
 * JavaScript is saved, run with the command of its first line, and compared with the block below.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { faultline } from '../support/command.ts';

const page = readFileSync(new URL('../../docs/processes.md', import.meta.url), 'utf8');
const pattern = /```js\n\/\/ faultline run (\S+)(.*)\n([^]*?)```\n\n```text\n([^]*?)```/g;
const examples = [...page.matchAll(pattern)].map(([, name = '', options = '', source, output]) => ({
  ...{ name, options: options.trim().split(/\s+/).filter(Boolean), source, output },
}));
const folder = mkdtempSync(join(tmpdir(), 'faultline-examples-'));

afterAll(() => rmSync(folder, { recursive: true }));

it('has all of its examples', () => {
  expect(examples).toHaveLength(page.split('```js').length - 1);
  expect(examples.length).toBeGreaterThan(5);
});

it.each(examples)('$name prints what the page says', async ({ name, options, source, output }) => {
  const path = join(folder, name);
  writeFileSync(path, source ?? '');
  const { status, stdout, stderr } = await faultline('run', path, '--json', ...options);
  expect(stderr).toBe(output);
  expect(status).toBe(0);
  expect((JSON.parse(stdout) as { audit: { clean: boolean } }).audit.clean).toBe(true);
});
