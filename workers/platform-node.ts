/** The platform adapter for Node: fs, and the inside of worker_threads. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort } from 'node:worker_threads';
import * as E from '../shared/abi/errno.ts';
import { PAGE_SIZE } from '../shared/limits.ts';
import { collectGarbage } from './collect-node.ts';
import { heapGauge } from './heap-node.ts';
import { importModule } from './import-typescript.ts';
import { owners } from './owner-node.ts';
import type { HostFile, HostFileFailure, HostFileState, Platform, SwapStore } from './platform.ts';
import { explainSyntaxError } from './syntax-error-node.ts';

/** Resolves when the starter has called `init`; the parent port is not listened to afterwards. */
function receiveInit(): Promise<unknown> {
  return new Promise((resolveInit) => {
    if (parentPort === null) throw new Error('this module is the entry of a Worker');
    parentPort.once('message', resolveInit);
  });
}

function onUnhandled(handle: (error: unknown) => void): void {
  process.on('unhandledRejection', handle);
  process.on('uncaughtException', handle);
}

function onExit(leave: (code: unknown) => never): void {
  process.exit = (code) => leave(code ?? process.exitCode ?? 0);
}

/** Only Linux says so. */
function limitsAddresses(): boolean {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    return /^Max address space +\d/m.test(limits);
  } catch {
    return false;
  }
}

function resolveModule(specifier: string): string {
  // One letter before the colon is a Windows drive, not a scheme.
  if (/^[a-z][a-z0-9+.-]+:/i.test(specifier)) return specifier;
  return pathToFileURL(resolve(specifier)).href;
}

const openErrnos: Readonly<Record<string, number>> = {
  EACCES: E.EACCES,
  EISDIR: E.EISDIR,
  EMFILE: E.EMFILE,
  ENOENT: E.ENOENT,
  ENOTDIR: E.ENOTDIR,
  EPERM: E.EACCES,
  EROFS: E.EROFS,
};

/** Most bytes of a host file that does not say its size. */
const WHOLE_FILE_BYTES_MAX = 2 ** 24;

async function openFile(path: string, isWritable: boolean): Promise<HostFile | HostFileFailure> {
  try {
    const location = path.startsWith('file:') ? new URL(path) : path;
    // Before it is opened: that of a FIFO would wait for a writer.
    const refusal = refuse(path, await stat(location), isWritable);
    if (refusal !== null) return refusal;
    const handle = await open(location, isWritable ? 'r+' : 'r');
    const { size: sizeBytes, mtimeMs: modifiedMs } = await handle.stat();
    if (!isWritable && sizeBytes === 0) return await wholeFile(path, handle);
    return {
      ...{ sizeBytes, modifiedMs },
      read: (offsetBytes, lengthBytes) => readAt(handle, offsetBytes, lengthBytes),
      ...(isWritable ? writing(handle) : { look: () => lookAt(handle) }),
      close: () => handle.close(),
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { errno: openErrnos[code ?? ''] ?? E.EIO, reason: message };
  }
}

/** Files have a size and can be read anywhere; nothing else can be mapped. */
function refuse(path: string, info: Stats, isWritable: boolean): HostFileFailure | null {
  // A device that is written, such as /dev/full, holds what the machine gives it.
  if (info.isFile() || (isWritable && info.isCharacterDevice())) return null;
  if (info.isDirectory()) return { errno: E.EISDIR, reason: `${path} is a directory` };
  return { errno: E.EINVAL, reason: `${path} is a device, FIFO or socket, not a regular file` };
}

async function lookAt(handle: FileHandle): Promise<HostFileState> {
  const { size: sizeBytes, mtimeMs: modifiedMs } = await handle.stat();
  return { sizeBytes, modifiedMs };
}

/** Reads until all is there or the file ends. */
async function readAt(handle: FileHandle, at: number, lengthBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthBytes);
  let filled = 0;
  while (filled < lengthBytes) {
    const { bytesRead } = await handle.read(bytes, filled, lengthBytes - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * A file that says it is empty: those of /proc and /sys have contents nevertheless, made when they
 * are read. They are read once, to the end. A file that really is empty may grow later.
 */
async function wholeFile(path: string, handle: FileHandle): Promise<HostFile | HostFileFailure> {
  const bytes = await readAt(handle, 0, WHOLE_FILE_BYTES_MAX + 1);
  if (bytes.length > WHOLE_FILE_BYTES_MAX) {
    await handle.close();
    return { errno: E.EFBIG, reason: `${path} has no size, and no end within 16 MiB` };
  }
  return {
    sizeBytes: bytes.length,
    read: async (offsetBytes, lengthBytes) => {
      if (bytes.length === 0) return readAt(handle, offsetBytes, lengthBytes);
      return bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
    },
    ...(bytes.length === 0 ? { look: () => lookAt(handle) } : {}),
    close: () => handle.close(),
  };
}

/** The methods of a host file opened for writing. */
function writing(handle: FileHandle): Required<Pick<HostFile, 'write' | 'truncate'>> {
  return {
    write: (offsetBytes, bytes) => writeAt(handle, offsetBytes, bytes),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
  };
}

/** Writes all: on a full disk the host takes a part, and only the next write says so. */
async function writeAt(handle: FileHandle, at: number, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const rest = bytes.length - written;
    written += (await handle.write(bytes, written, rest, at + written)).bytesWritten;
  }
}

/** A file without a name, so that nothing stays behind however the process ends. */
async function openSwap(): Promise<SwapStore> {
  const path = join(tmpdir(), `faultline-swap-${process.pid}-${randomUUID()}`);
  const handle = await open(path, 'wx+', 0o600);
  await unlink(path);
  return {
    write: (slot, page) => writeAt(handle, slot * PAGE_SIZE, page),
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

/** As it is at the start: in a CPU's Worker programs get timers that end with them. */
const later = setImmediate;

export const platform: Platform = {
  receiveInit,
  onUnhandled,
  collectGarbage,
  afterTurn: (run) => void later(run),
  onExit,
  owners,
  limitsAddresses,
  compilesByDefault: process.env['FAULTLINE_KERNEL'] === 'wasm',
  mapSources: () => process.setSourceMapsEnabled(true),
  explainSyntaxError,
  heap: heapGauge,
  resolveModule,
  importModule,
  resolveFile: (path) => path,
  openFile,
  openSwap,
  writeOutput,
  printLine: (line) => console.log(line),
};
