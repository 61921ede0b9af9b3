/**
 * The explorer's host on Node: sources are files, the compiler is esbuild, and explorers are Worker
 * threads.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Message } from 'esbuild';
import { ExploreBuildError } from '../build/toolchain.ts';
import type { Compiled, ModuleTree } from '../build/toolchain.ts';
import type { Host } from '../host.ts';
import { modelCache } from './model-cache.ts';
import { projectSources } from './project-sources.ts';
import { startExplorer } from './worker-explorer.ts';

export function nodeHost(): Host {
  return {
    read: projectSources(),
    compile,
    bundle,
    evaluate,
    absolutePath: (path) => resolve(path),
    nowMs: () => performance.now(),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    startExplorer,
    cache: modelCache(),
  };
}

async function compile(path: string, source: string): Promise<Compiled> {
  const { transform } = await import('esbuild');
  return transform(source, {
    loader: /\.m?ts$/.test(path) ? 'ts' : 'js',
    target: 'es2022',
    sourcemap: 'external',
    sourcefile: path,
    logLevel: 'silent',
  }).catch((error: Error & { errors?: readonly Message[] }) => {
    const first = error.errors?.[0];
    if (first === undefined) throw error;
    throw new ExploreBuildError(`${path}:${first.location?.line ?? 1}: ${first.text}`);
  });
}

async function bundle(tree: ModuleTree): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: tree.entry, loader: 'js', sourcefile: 'explore-entry.js' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'silent',
    plugins: [
      {
        name: 'explore',
        setup(plugin) {
          plugin.onResolve({ filter: /.*/ }, ({ path, importer, namespace }) => ({
            path: tree.resolve(path, namespace === 'explore' ? importer : ''),
            namespace: 'explore',
          }));
          plugin.onLoad({ filter: /.*/, namespace: 'explore' }, ({ path }) => ({
            contents: tree.load(path),
            loader: 'js',
          }));
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? '';
}

/** By a file: a data: URL would be in every stack trace, whole. */
async function evaluate(code: string): Promise<Readonly<Record<string, unknown>>> {
  const folder = await mkdtemp(join(tmpdir(), 'faultline-explore-'));
  try {
    const file = join(folder, 'model.mjs');
    await writeFile(file, code);
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Record<string, unknown>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
