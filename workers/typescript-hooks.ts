/**
 * Module hooks (node:module `register`) by which an engine that cannot strip types itself loads
 * TypeScript: each file is transpiled by esbuild, alone; nothing is type-checked or bundled.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: true;
}
type NextLoad = (url: string, context: object) => Promise<unknown>;

export async function load(url: string, context: object, next: NextLoad): Promise<unknown> {
  if (!/^file:[^?#]*\.m?ts([?#]|$)/.test(url)) return next(url, context);
  const path = fileURLToPath(url);
  const { code } = await transform(await readFile(path, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
    sourcefile: url,
    logLevel: 'silent',
  });
  return { format: 'module', source: code, shortCircuit: true } satisfies Loaded;
}
