/**
 * The sources of the explore build, for an installation that has no sources: one JSON file in dist/
 * with the text of every module that it is made of, by path.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folders = ['shared', 'kernel', 'lab/explore/model', 'lab/explore/runtime'];

/**
 * A source without the comments that stand alone, which make up a third of it. Their lines stay as
 * empty ones: stories name lines. No mutant may be found by a comment.
 */
function withoutComments(source) {
  const emptied = (comment) => comment.replace(/[^\n]/g, '');
  return source
    .replace(/^[ \t]*\/\*\*[^]*?\*\/[ \t]*$/gm, emptied)
    .replace(/^[ \t]*\/\/[^\n]*$/gm, emptied);
}

/** The file's contents; `root` is the repository. */
export function exploreSources(root) {
  const sources = {};
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true }).sort()) {
      if (!entry.endsWith('.ts')) continue;
      const path = `${folder}/${entry.replaceAll('\\', '/')}`;
      sources[path] = withoutComments(readFileSync(join(root, path), 'utf8'));
    }
  }
  return JSON.stringify(sources);
}
