/**
 * The sources of the explore build: the repository's own files in a checkout; in an installation
 * the copy of them that the build put into one JSON file beside the command.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type { ReadSource } from '../build/toolchain.ts';

/** Written by scripts/explore-build.mjs: source text by path. */
const BUNDLED = new URL('./explore-sources.json.br', import.meta.url);
const CHECKOUT = new URL('../../../', import.meta.url);

/** Reads the project's sources by their path in the repository, a user's by absolute path. */
export function projectSources(): ReadSource {
  let bundled: Readonly<Record<string, string>> | null = null;
  if (existsSync(BUNDLED)) {
    bundled = JSON.parse(brotliDecompressSync(readFileSync(BUNDLED)).toString()) as Record<
      string,
      string
    >;
  }
  return (path) => {
    if (!isAbsolute(path)) {
      if (bundled !== null) return bundled[path] ?? null;
      return readIfThere(fileURLToPath(new URL(path, CHECKOUT)));
    }
    return readIfThere(path);
  };
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}
