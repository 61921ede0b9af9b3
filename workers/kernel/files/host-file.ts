/** The files handed to a machine: opened paths and bytes, read alike. */
import { platform } from '#platform';
import type { WireFile, WireWritableFile } from '../../../shared/wire.ts';
import { SyscallError } from '../../wire/errors.ts';
import { isHostFileFailure } from '../../platform.ts';
import type { HostFile } from '../../platform.ts';

function isPath(source: WireFile): source is WireWritableFile {
  return typeof source === 'object' && 'path' in source;
}

/**
 * Opens what the machine calls `name`. Throws SyscallError (ENOENT, EISDIR, EACCES, …) for a path
 * that cannot be opened.
 */
export async function openHostFile(name: string, source: WireFile): Promise<HostFile> {
  if (typeof source === 'string' || isPath(source)) {
    const path = typeof source === 'string' ? source : source.path;
    const file = await platform.openFile(path, typeof source !== 'string');
    if (isHostFileFailure(file)) {
      // The host's own message begins with the errno's name, which the error says anyway.
      const reason = file.reason.replace(/^[A-Z]+: /, '');
      throw new SyscallError('open', file.errno, `file '${name}': ${reason}`);
    }
    return file;
  }
  if (source instanceof Uint8Array) {
    return {
      sizeBytes: source.length,
      read: async (offsetBytes, lengthBytes) =>
        source.subarray(offsetBytes, offsetBytes + lengthBytes),
      close: async () => {},
    };
  }
  return {
    sizeBytes: source.size,
    read: async (offsetBytes, lengthBytes) =>
      new Uint8Array(await source.slice(offsetBytes, offsetBytes + lengthBytes).arrayBuffer()),
    close: async () => {},
  };
}
