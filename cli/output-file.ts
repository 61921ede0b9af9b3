/** Files that a command is to write at its end. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './usage-error.ts';

/**
 * Refuses a file that cannot be written, before minutes are spent on what goes into it. Creates and
 * changes nothing.
 */
export function requireWritable(option: string, path: string): void {
  const reason = unwritableReason(path);
  if (reason !== null) throw new UsageError(`--${option}: '${path}' ${reason}`);
}

function unwritableReason(path: string): string | null {
  if (path === '') return 'names no file';
  const isThere = existing(path);
  if (isThere?.isDirectory()) return 'is a directory';
  const folder = dirname(path);
  if (isThere === null && existing(folder)?.isDirectory() !== true) {
    return `cannot be written: there is no folder '${folder}'`;
  }
  try {
    accessSync(isThere === null ? folder : path, constants.W_OK);
    return null;
  } catch (error) {
    return `cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
}

function existing(path: string): ReturnType<typeof statSync> | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}
