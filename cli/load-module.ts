/**
 * Finds what `run` is to execute: a built-in program, or a module file of the user. TypeScript is
 * bundled into one temporary file first, and so is JavaScript that could not find 'faultline'. In
 * the bundle 'faultline' and 'faultline/program' stay imports and resolve to this installation, so
 * that the program meets the very classes the machine uses.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtinPrograms } from './builtin-programs.ts';
import { bundleModule, installedUrl } from './bundle-module.ts';
import type { LoadedModule } from './bundle-module.ts';
import { suggest, UsageError } from './usage-error.ts';

const scriptExtensions = ['.js', '.mjs'];
const typescriptExtensions = ['.ts', '.mts'];
const absent = 'does not exist';

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
  return bundleModule(path, installedUrl);
}
