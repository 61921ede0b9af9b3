/**
 * Of the declarations that tsc writes, keeps in dist/types those that the entry points of
 * package.json reach. The compiler writes one for each module that the sources import, twice as
 * many, and only those whose source has changed: dist/.build/declarations has them all.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const IMPORT = /(?:from|import\()\s*['"](\.[^'"]+)\.(?:ts|js)['"]/g;

export function keepPublicTypes(root) {
  const all = join(root, 'dist/.build/declarations');
  const kept = join(root, 'dist/types');
  cpSync(kept, all, { recursive: true });
  rmSync(kept, { recursive: true });
  const { exports, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const waiting = [...Object.values(exports), ...Object.values(imports)]
    .flatMap(({ types }) => types ?? [])
    .map((path) => join(all, relative('dist/types', path)));
  const reached = new Set();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path) || !existsSync(path)) continue;
    reached.add(path);
    for (const [, target] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
      waiting.push(join(dirname(path), `${target}.d.ts`));
    }
  }
  for (const path of reached) {
    const target = join(kept, relative(all, path));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
}
