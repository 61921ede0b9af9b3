/**
 * Finds what `run` shall execute: a built-in program, or a module file of the user. TypeScript is
 * bundled into one temporary file first, and so is JavaScript that could not find 'faultline'. In
 * the bundle 'faultline' and 'faultline/program' stay imports and resolve to this installation, so
 * that the program meets the very classes the machine uses.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Message } from 'esbuild';
import { builtinPrograms } from './builtin-programs.ts';
import { suggest, UsageError } from './usage-error.ts';

const scriptExtensions = ['.js', '.mjs'];
const typescriptExtensions = ['.ts', '.mts'];
const absent = 'does not exist';

export interface LoadedModule {
  readonly url: URL;
  /** Removes what was written for it. */
  dispose(): Promise<void>;
}

/** Why a path cannot be read as a file, or null when it can. */
export function unreadableReason(path: string): string | null {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return 'is a directory';
    if (!stats.isFile()) return 'is not a regular file';
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return absent;
    return code === 'EACCES' ? 'may not be read' : `cannot be read (${code ?? String(error)})`;
  }
}

export function requireReadable(path: string): void {
  const reason = unreadableReason(path);
  if (reason !== null) throw new UsageError(`'${path}' ${reason}`);
}

/** Refuses a program that cannot be run, before a machine is booted for it. */
export function requireModule(path: string): void {
  const extensions = [...scriptExtensions, ...typescriptExtensions];
  const isPath = /[\\/]/.test(path) || extensions.includes(extname(path));
  const reason = unreadableReason(path);
  if (reason === absent && !isPath) {
    const names = Object.keys(builtinPrograms);
    const hint = suggest(path, names) || `; built-in: ${names.join(', ')}`;
    throw new UsageError(`no program and no file is called '${path}'${hint}`);
  }
  if (reason !== null) throw new UsageError(`'${path}' ${reason}`);
  if (!extensions.includes(extname(path))) {
    throw new UsageError(
      `'${path}' is no module: give a file that ends in ${extensions.join(' ')}`,
    );
  }
}

/** Where the build puts the built-in programs: beside the command. */
export function builtinModule(name: string): URL {
  return new URL(`./programs/${name}.js`, import.meta.url);
}

/** Whether a module there can import 'faultline/program': not so beside a global installation. */
function findsFaultline(path: string): boolean {
  try {
    createRequire(resolve(path)).resolve('faultline/program');
    return true;
  } catch {
    return false;
  }
}

/** A module that `requireModule` accepted. Throws an Error that says what does not compile. */
export async function loadModule(path: string): Promise<LoadedModule> {
  if (scriptExtensions.includes(extname(path)) && findsFaultline(path)) {
    return { url: pathToFileURL(resolve(path)), dispose: () => Promise.resolve() };
  }
  const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const outfile = join(folder, `${basename(path, extname(path))}.mjs`);
  try {
    await bundleModule(path, outfile);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { url: pathToFileURL(outfile), dispose };
}

async function bundleModule(path: string, outfile: string): Promise<void> {
  const esbuild = await import('esbuild');
  const failure = await esbuild
    .build({
      entryPoints: [resolve(path)],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      logLevel: 'silent',
      plugins: [
        {
          name: 'this-installation',
          setup(build) {
            build.onResolve({ filter: /^faultline(\/[a-z-]+)?$/ }, ({ path: specifier }) => {
              const entry = specifier === 'faultline' ? 'index' : specifier.slice(10);
              return { path: new URL(`./${entry}.js`, import.meta.url).href, external: true };
            });
          },
        },
      ],
    })
    .then(() => null)
    .catch((error: Error & { errors?: readonly Message[] }) => error);
  if (failure === null) return;
  const first = failure.errors?.[0];
  if (first === undefined) throw failure;
  const place = first.location === null ? path : `${path}:${first.location.line}`;
  throw new Error(`${place}: ${first.text}`);
}
