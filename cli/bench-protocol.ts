/**
 * A user's protocol for the counting pass: bundled so that its 'faultline/kernel' is the build
 * whose atomics count.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LoadedModule } from './load-module.ts';

/**
 * A module that `loadModule` compiled already. null when it brings an atomics façade of its own, by
 * importing the kernel's sources: its accesses could not be counted, and half a count misleads.
 */
export async function loadForCounting(path: string): Promise<LoadedModule | null> {
  const esbuild = await import('esbuild');
  const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
  const outfile = join(folder, 'protocol.mjs');
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const kernel = new URL('./bench-counting-kernel.js', import.meta.url).href;
  const { metafile } = await esbuild.build({
    entryPoints: [resolve(path)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    logLevel: 'silent',
    metafile: true,
    plugins: [
      {
        name: 'counting-kernel',
        setup(build) {
          build.onResolve({ filter: /^faultline\/kernel$/ }, () => {
            return { path: kernel, external: true };
          });
        },
      },
    ],
  });
  if (!Object.keys(metafile.inputs).some((input) => input.endsWith('shared/atomics.ts'))) {
    return { url: pathToFileURL(outfile), dispose };
  }
  await dispose();
  return null;
}
