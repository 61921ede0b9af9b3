/**
 * Goal: exploration finds every exhibit of the museum, and nothing in the kernel without its bug;
 * docs/museum.md draws what happens. Method: a visit of each; the drawings of the page, which
 * UPDATE_TRANSCRIPTS=1 rewrites.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Laboratory } from '../../lab/explore/laboratory.ts';
import { EXHIBITS, mutantOf, visit } from '../../lab/explore/museum/museum.ts';
import { nodeHost } from '../../lab/explore/node/node-host.ts';

const page = new URL('../../docs/museum.md', import.meta.url);
const update = process.env.UPDATE_TRANSCRIPTS !== undefined;
const laboratory = new Laboratory(nodeHost());

/** The page's drawing of an exhibit, and where it is. */
function drawingOf(name: string): { text: string; from: number; to: number } {
  const text = readFileSync(page, 'utf8');
  const mark = `<!-- exhibit ${name} -->\n\n\`\`\`text\n`;
  const from = text.indexOf(mark) + mark.length;
  const to = text.indexOf('\n```', from);
  return { text: text.slice(from, to), from, to };
}

describe('the museum', () => {
  it('has at least ten exhibits, each with sources, and mutants of their own', () => {
    expect(EXHIBITS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(EXHIBITS.map(({ mutant }) => mutant)).size).toBe(EXHIBITS.length);
    for (const exhibit of EXHIBITS) {
      expect(exhibit.sources.length, exhibit.name).toBeGreaterThan(0);
      expect(mutantOf(exhibit).patches.length, exhibit.name).toBeGreaterThan(0);
    }
  });

  it.each(EXHIBITS)(
    'shows $name',
    async (exhibit) => {
      const seen = await visit(laboratory, exhibit);
      expect(seen.kind, `${exhibit.name} is not found`).not.toBe('');
      expect(seen.cleanFailure).toBe('');
      expect(seen.cleanExecutions).toBeGreaterThan(1);
      const { text, from, to } = drawingOf(exhibit.name);
      const times = seen.executions === 1 ? '1 execution' : `${seen.executions} executions`;
      const shown = `Found as "${seen.kind}" after ${times}\n\n${seen.drawing}`;
      if (update) {
        const whole = readFileSync(page, 'utf8');
        writeFileSync(page, whole.slice(0, from) + shown + whole.slice(to));
      } else {
        expect(text, `docs/museum.md: ${exhibit.name}; UPDATE_TRANSCRIPTS=1 rewrites it`).toBe(
          shown,
        );
      }
    },
    60_000,
  );
});
