/** The platform adapter for browsers: fetch, and the inside of Web Workers. */
import { EIO, ENOENT, EROFS } from '../shared/abi/errno.ts';
import type { HostFile, HostFileFailure, Platform, SwapStore } from './platform.ts';

/** The part of a Worker's global scope that is used here; the DOM's types describe a page's. */
interface WorkerScope {
  addEventListener(
    type: 'message',
    listener: (event: MessageEvent) => void,
    options: { once: true },
  ): void;
}

function receiveInit(): Promise<unknown> {
  const scope = globalThis as unknown as WorkerScope;
  return new Promise((resolve) => {
    scope.addEventListener('message', (event) => resolve(event.data), { once: true });
  });
}

function onUnhandled(handle: (error: unknown) => void): void {
  globalThis.addEventListener('error', (event) => {
    event.preventDefault();
    handle(event.error);
  });
  globalThis.addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    handle(event.reason);
  });
}

/** By a message to this thread: browsers' timers wait for milliseconds. */
const turns: (() => void)[] = [];
const turn = new MessageChannel();
turn.port1.onmessage = () => turns.shift()?.();

function afterTurn(run: () => void): void {
  turns.push(run);
  turn.port2.postMessage(null);
}

async function openFile(path: string, isWritable: boolean): Promise<HostFile | HostFileFailure> {
  if (isWritable) return { errno: EROFS, reason: `${path}: a browser's files cannot be written` };
  try {
    const response = await fetch(path);
    if (!response.ok) return { errno: ENOENT, reason: `${path}: HTTP ${response.status}` };
    const blob = await response.blob();
    return {
      sizeBytes: blob.size,
      read: async (offsetBytes, lengthBytes) =>
        new Uint8Array(await blob.slice(offsetBytes, offsetBytes + lengthBytes).arrayBuffer()),
      close: async () => {},
    };
  } catch (error) {
    return { errno: EIO, reason: `${path}: ${String(error)}` };
  }
}

/** In memory: pages that do not fit into the machine's still fit into the browser's. */
async function openSwap(): Promise<SwapStore> {
  const pages = new Map<number, Uint8Array>();
  return {
    write: async (slot, page) => void pages.set(slot, page),
    read: async (slot) => pages.get(slot) ?? new Uint8Array(),
    close: async () => pages.clear(),
  };
}

export const platform: Platform = {
  receiveInit,
  onUnhandled,
  collectGarbage: null,
  onExit: () => {},
  owners: null,
  mapSources: () => {},
  limitsAddresses: () => false,
  compilesByDefault: false,
  explainSyntaxError: () => Promise.resolve(null),
  heap: null,
  afterTurn,
  resolveModule: (specifier) => new URL(specifier, globalThis.location.href).href,
  importModule: (url) => import(/* @vite-ignore */ /* webpackIgnore: true */ url),
  resolveFile: (path) => new URL(path, globalThis.location.href).href,
  openFile,
  openSwap,
  writeOutput: (bytes) => console.log(new TextDecoder().decode(bytes)),
  printLine: (line) => console.log(line),
};
