/**
 * Of the declarations that tsc writes, keeps in dist/types those that the entry points of
 * package.json reach. The compiler writes one for each module that the sources import, twice as
 * many, and only those whose source has changed: dist/.build/declarations has them all.
 *
 * Guarantees: no file that is kept is ever missing, so that two builds may run at once.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { replaceFile } from './replace-file.mjs';

const IMPORT = /(?:from|import\()\s*['"](\.[^'"]+)\.(?:ts|js)['"]/g;

export function keepPublicTypes(root) {
  const all = join(root, 'dist/.build/declarations');
  const kept = join(root, 'dist/types');
  for (const path of declarationsIn(kept)) {
    // The other build may have taken one away that nobody needs.
    const text = textOf(join(kept, path));
    if (text !== null) replaceFile(join(all, path), Buffer.from(text));
  }
  const reached = reachedFrom(root, all);
  for (const path of reached) replaceFile(join(kept, path), Buffer.from(textOf(join(all, path))));
  for (const path of declarationsIn(kept)) {
    if (!reached.has(path)) rmSync(join(kept, path), { force: true });
  }
}

function declarationsIn(folder) {
  const entries = readdirSync(folder, { recursive: true });
  return entries.map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.d.ts'));
}

/** Null when there is no such file. */
function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Paths in the folder `all` of what the entry points reach. */
function reachedFrom(root, all) {
  const { exports, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const waiting = [...Object.values(exports), ...Object.values(imports)]
    .flatMap(({ types }) => types ?? [])
    .map((path) => relative('dist/types', path));
  const reached = new Set();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path) || !existsSync(join(all, path))) continue;
    reached.add(path);
    for (const [, target] of readFileSync(join(all, path), 'utf8').matchAll(IMPORT)) {
      waiting.push(join(dirname(path), `${target}.d.ts`).replaceAll('\\', '/'));
    }
  }
  return reached;
}
