/** Source around the places of a story, for pages that show it beside. */
import type { ReadSource } from '../build/toolchain.ts';
import type { Story } from './story.ts';

/** Lines before and behind a place. */
const AROUND = 4;

export interface SourceLines {
  /** Number of the first line. */
  readonly from: number;
  readonly lines: readonly string[];
}

/** By place, 'file:line'. */
export type Sources = Readonly<Record<string, SourceLines>>;

/** The sources of all places that can be read. */
export function sourcesOf({ moments }: Story, read: ReadSource): Sources {
  const files = new Map<string, readonly string[]>();
  const sources: Record<string, SourceLines> = {};
  for (const { place } of moments) {
    const [, file = '', line = ''] = /^(.+):(\d+)$/.exec(place) ?? [];
    if (file === '' || sources[place] !== undefined) continue;
    const lines = files.get(file) ?? read(file)?.split('\n') ?? [];
    files.set(file, lines);
    if (lines.length === 0) continue;
    const from = Math.max(1, Number(line) - AROUND);
    sources[place] = { from, lines: lines.slice(from - 1, Number(line) + AROUND) };
  }
  return sources;
}
