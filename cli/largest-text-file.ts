/**
 * The input of `wordcount` when none is given: the largest text file among the installed packages.
 * Deterministic for the same installation: ties are broken by path.
 */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { dirname, join, sep } from 'node:path';

const textExtensions = /\.([cm]?[jt]s|md|txt|json|css|html)$/;
/** Bounds of the search, so that a huge installation costs seconds at most. */
const entriesMax = 200_000;
const candidatesMax = 100;
const sizeMaxBytes = 256 * 2 ** 20;
const probeBytes = 64 * 1024;

interface Candidate {
  readonly path: string;
  readonly size: number;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // A folder that cannot be read is skipped.
  }
}

function candidatesUnder(root: string): Candidate[] {
  const candidates: Candidate[] = [];
  const folders = [root];
  let entries = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const entry of entriesOf(folder).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (++entries > entriesMax) return candidates;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && textExtensions.test(entry.name)) {
        // A file may be gone by now: packages are reinstalled while people work.
        const size = statSync(path, { throwIfNoEntry: false })?.size ?? Infinity;
        if (size <= sizeMaxBytes) candidates.push({ path, size });
      }
    }
  }
  return candidates;
}

/** Text as git decides it: no NUL byte near the beginning. */
function isText(path: string): boolean {
  const probe = Buffer.alloc(probeBytes);
  const file = openSync(path, 'r');
  try {
    return !probe.subarray(0, readSync(file, probe)).includes(0);
  } finally {
    closeSync(file);
  }
}

/** null when there is no text file under the folder, or no such folder. */
export function largestTextFile(folder: string): string | null {
  const largest = candidatesUnder(folder)
    .sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1))
    .slice(0, candidatesMax);
  return largest.find(({ path }) => isText(path))?.path ?? null;
}

/** The largest text file of the packages beside or below the package at `packageRoot`. */
export function largestInstalledTextFile(packageRoot: string): string | null {
  const parent = dirname(packageRoot);
  const beside = parent.endsWith(`${sep}node_modules`) ? [parent] : [];
  for (const folder of [...beside, join(packageRoot, 'node_modules'), packageRoot]) {
    const path = existsSync(folder) ? largestTextFile(folder) : null;
    if (path !== null) return path;
  }
  return null;
}
