/**
 * Goal: HACKING.md tells the truth about the house. Method: compare its core path and its list of
 * rooms with the tree and the rules.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { KERNEL_ROOMS } from './import-rules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${root}HACKING.md`, 'utf8');

it('has a core path of 25 files that exist, in at most 3,600 lines', () => {
  const list = /<!-- core path -->\n(.*?)<!-- end -->/s.exec(page)?.[1] ?? '';
  const paths = [...list.matchAll(/^\d+\. `(.*)`$/gm)].map((match) => match[1] as string);
  expect(paths.filter((path) => !existsSync(root + path))).toEqual([]);
  expect(new Set(paths).size).toBe(25);
  const lines = paths.map(
    (path) =>
      readFileSync(root + path, 'utf8')
        .trimEnd()
        .split('\n').length,
  );
  expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(3600);
});

it('names the rooms of kernel/ in their order', () => {
  expect(page).toContain(`bottom to top: ${KERNEL_ROOMS.join(', ')}`);
});

it('fits on two pages', () => {
  expect(page.split('\n').length).toBeLessThanOrEqual(180);
});
