/**
 * Goal: what the documents show is what the command prints. Method: run every command of their
 * `console` blocks and compare, but for times and for figures that vary from run to run.
 * UPDATE_TRANSCRIPTS=1 writes what is printed now into the documents instead.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  TranscriptFolder,
  agrees,
  comparable,
  parseDocument,
  withPrinted,
} from '../support/transcripts.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const update = process.env.UPDATE_TRANSCRIPTS !== undefined;
const pages = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'));
const documented = ['README.md', ...pages.map((name) => `docs/${name}`)]
  .map((path) => ({ path, ...parseDocument(readFileSync(root + path, 'utf8')) }))
  .filter(({ blocks }) => blocks.length > 0);

describe.skipIf(process.platform === 'win32')('transcripts', () => {
  it.each(documented)(
    '$path',
    async ({ path, files, blocks }) => {
      const folder = new TranscriptFolder({ files, blocks });
      try {
        for (const { command, printed } of blocks.flat()) {
          const lines = await folder.run(command);
          if (update) {
            const page = readFileSync(root + path, 'utf8');
            writeFileSync(root + path, withPrinted(page, command, lines));
          } else if (!agrees(comparable(printed), comparable(lines))) {
            expect(lines.join('\n'), `${path}: ${command}; UPDATE_TRANSCRIPTS=1 rewrites it`).toBe(
              printed.join('\n'),
            );
          }
        }
      } finally {
        folder.remove();
      }
    },
    120_000,
  );

  it('are there', () => {
    const paths = documented.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/tutorial.md']));
  });

  it('are compared but for what varies', () => {
    const shown = ['a 3 ms', '', 'PID  CPU', '  1    2', '', 'at map.ts:7'];
    const other = ['a 12.5 ms', '', 'PID   CPU', ' 11     3', '', 'at map.ts:7'];
    expect(agrees(comparable(shown), comparable(other))).toBe(true);
    expect(agrees(comparable(shown), comparable([...other.slice(0, 5), 'at map.ts:8']))).toBe(
      false,
    );
    expect(agrees(['a', '…', 'z'], ['a', 'b', 'c', 'z'])).toBe(true);
    expect(agrees(['a', '…', 'z'], ['a', 'b', 'c'])).toBe(false);
    expect(agrees(['a'], ['a', 'b'])).toBe(false);
  });
});
