/**
 * Goal: the programs of docs/memory-set.md run and print what the page says. Method: each is given
 * to Node in the repository, where 'faultline/memory-set' is the built entry.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(new URL('../../docs/memory-set.md', import.meta.url), 'utf8');
const pattern = /```js\n\/\/ node (\S+)\n([^]*?)```\n\n```text\n([^]*?)```/g;
const examples = [...page.matchAll(pattern)].map(([, name = '', source = '', output = '']) => ({
  ...{ name, source, output },
}));

it('has all of its examples', () => {
  expect(examples).toHaveLength(page.split('```js').length - 1);
  expect(examples).toHaveLength(4);
});

it.each(examples)('$name prints what the page says', ({ source, output }) => {
  const args = ['--input-type=module', '--eval', source];
  expect(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).toBe(output);
});
