/** The platform adapter for Node: fs, and the inside of worker_threads. */
import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { EACCES, EIO, EISDIR, EMFILE, ENOENT, ENOTDIR, EROFS } from '../shared/abi/errno.ts';
import { PAGE_SIZE } from '../shared/limits.ts';
import { importModule } from './import-typescript.ts';
import type { HostFile, HostFileFailure, Platform, SwapStore } from './platform.ts';

/** Resolves when the starter has called `init`; the parent port is not listened to afterwards. */
function receiveInit(): Promise<unknown> {
  return new Promise((resolveInit) => {
    if (parentPort === null) throw new Error('this module is the entry of a Worker');
    parentPort.once('message', resolveInit);
  });
}

function onUnhandled(absorb: (error: unknown) => boolean): void {
  // A rejection that is thrown here becomes an uncaught exception.
  process.on('unhandledRejection', (reason) => {
    if (!absorb(reason)) throw reason;
  });
  process.on('uncaughtException', (error) => {
    if (!absorb(error)) throw error;
  });
}

function resolveModule(specifier: string): string {
  // One letter before the colon is a Windows drive, not a scheme.
  if (/^[a-z][a-z0-9+.-]+:/i.test(specifier)) return specifier;
  return pathToFileURL(resolve(specifier)).href;
}

const openErrnos: Readonly<Record<string, number>> = {
  EACCES,
  EISDIR,
  EMFILE,
  ENOENT,
  ENOTDIR,
  EPERM: EACCES,
  EROFS,
};

async function openFile(path: string, isWritable: boolean): Promise<HostFile | HostFileFailure> {
  try {
    const location = path.startsWith('file:') ? new URL(path) : path;
    const handle = await open(location, isWritable ? 'r+' : 'r');
    const info = await handle.stat();
    if (info.isDirectory()) {
      await handle.close();
      return { errno: EISDIR, reason: `${path} is a directory` };
    }
    return {
      sizeBytes: info.size,
      read: async (offsetBytes, lengthBytes) => {
        const bytes = new Uint8Array(lengthBytes);
        let filled = 0;
        while (filled < lengthBytes) {
          const position = offsetBytes + filled;
          const { bytesRead } = await handle.read(bytes, filled, lengthBytes - filled, position);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      },
      ...(isWritable ? writing(handle) : {}),
      close: () => handle.close(),
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { errno: openErrnos[code ?? ''] ?? EIO, reason: message };
  }
}

/** The methods of a host file opened for writing. */
function writing(handle: FileHandle): Required<Pick<HostFile, 'write' | 'truncate'>> {
  return {
    write: async (offsetBytes, bytes) => {
      let written = 0;
      while (written < bytes.length) {
        const rest = bytes.length - written;
        const { bytesWritten } = await handle.write(bytes, written, rest, offsetBytes + written);
        written += bytesWritten;
      }
    },
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
  };
}

/** A file without a name, so that nothing stays behind however the process ends. */
async function openSwap(): Promise<SwapStore> {
  const path = join(tmpdir(), `faultline-swap-${process.pid}-${randomUUID()}`);
  const handle = await open(path, 'wx+', 0o600);
  await unlink(path);
  return {
    write: async (slot, page) => {
      await handle.write(page, 0, PAGE_SIZE, slot * PAGE_SIZE);
    },
    read: async (slot) => {
      const page = new Uint8Array(PAGE_SIZE);
      const { bytesRead } = await handle.read(page, 0, PAGE_SIZE, slot * PAGE_SIZE);
      return page.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}

function writeOutput(bytes: Uint8Array, fd: number): Promise<void> {
  const stream = fd === 2 ? process.stderr : process.stdout;
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

export const platform: Platform = {
  receiveInit,
  onUnhandled,
  afterTurn: (run) => void setImmediate(run),
  resolveModule,
  importModule,
  resolveFile: (path) => path,
  openFile,
  openSwap,
  writeOutput,
  printLine: (line) => console.log(line),
};
