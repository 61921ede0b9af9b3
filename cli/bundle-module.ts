/** Bundles a user's module into one file that this installation can load. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Message } from 'esbuild';

export interface LoadedModule {
  readonly url: URL;
  /** Removes what was written for it. */
  dispose(): Promise<void>;
}

export interface BundledModule extends LoadedModule {
  /** Paths of the sources in it. */
  readonly inputs: readonly string[];
}

/**
 * Compiles the module at `path` with all that it imports except the modules of faultline:
 * `faultlineUrl` says where those are. Throws an Error that says what does not compile.
 */
export async function bundleModule(
  path: string,
  faultlineUrl: (specifier: string) => URL,
): Promise<BundledModule> {
  const { build } = await import('esbuild');
  const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const outfile = join(folder, `${basename(path, extname(path))}.mjs`);
  try {
    const { metafile } = await build({
      entryPoints: [resolve(path)],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      // So that errors show lines of the user's source.
      sourcemap: 'inline',
      logLevel: 'silent',
      metafile: true,
      plugins: [
        {
          name: 'this-installation',
          setup(plugin) {
            plugin.onResolve({ filter: /^faultline(\/[a-z-]+)?$/ }, ({ path: specifier }) => {
              return { path: faultlineUrl(specifier).href, external: true };
            });
          },
        },
      ],
    });
    return { url: pathToFileURL(outfile), dispose, inputs: Object.keys(metafile.inputs) };
  } catch (error) {
    await dispose();
    throw readable(path, error as Error & { errors?: readonly Message[] });
  }
}

/** esbuild's first complaint, in one line. */
function readable(path: string, failure: Error & { errors?: readonly Message[] }): Error {
  const first = failure.errors?.[0];
  if (first === undefined) return failure;
  const place = first.location === null ? path : `${path}:${first.location.line}`;
  return new Error(`${place}: ${first.text}`);
}

/** Where the build puts what `specifier` names: beside the command. */
export function installedUrl(specifier: string): URL {
  const entry = specifier === 'faultline' ? 'index' : specifier.slice('faultline/'.length);
  return new URL(`./${entry}.js`, import.meta.url);
}
