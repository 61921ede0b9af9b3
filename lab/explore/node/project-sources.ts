/**
 * The sources of the explore build: the repository's own files in a checkout; in an installation
 * the copy of them that the build put into one JSON file beside the command.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type { ReadSource } from '../build/toolchain.ts';

/** Written by scripts/explore-build.mjs: source text by path. */
const BUNDLED_SOURCES = new URL('./explore-sources.json.br', import.meta.url);
const CHECKOUT = new URL('../../../', import.meta.url);

/** A hash of the kernel's sources and of the explorer, where they are built; else ''. */
export function sourcesHash(): string {
  if (!existsSync(BUNDLED_SOURCES)) return '';
  // This file's text names the other files of the build by hashes of their contents.
  const code = readFileSync(fileURLToPath(import.meta.url));
  return createHash('sha256').update(readFileSync(BUNDLED_SOURCES)).update(code).digest('hex');
}

/** Reads the project's sources by their path in the repository, a user's by absolute path. */
export function projectSources(): ReadSource {
  let bundled: Readonly<Record<string, string>> | null = null;
  if (existsSync(BUNDLED_SOURCES)) {
    bundled = JSON.parse(brotliDecompressSync(readFileSync(BUNDLED_SOURCES)).toString()) as Record<
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
