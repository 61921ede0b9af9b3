/** The platform adapter for browsers: Web Workers and fetch. */
import { EIO, ENOENT, EROFS } from '../shared/abi/errno.ts';
import type {
  HostFile,
  HostFileFailure,
  Platform,
  SwapStore,
  WorkerHandle,
  WorkerKind,
} from './platform.ts';

/** The URLs stand literally inside `new Worker`, because bundlers recognise only that. */
function createWorker(kind: WorkerKind): Worker {
  if (kind === 'kernel') {
    return new Worker(new URL('./kernel-worker.js', import.meta.url), { type: 'module' });
  }
  return new Worker(new URL('./cpu-worker.js', import.meta.url), { type: 'module' });
}

function startWorker(kind: WorkerKind, onDeath: (reason: string) => void): WorkerHandle {
  const worker = createWorker(kind);
  let isDead = false;
  // A browser's Worker survives an uncaught error. Here it ends, as it does on Node.
  const die = (reason: string): void => {
    if (isDead) return;
    isDead = true;
    worker.terminate();
    onDeath(reason);
  };
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    // As on Node, which does not prefix 'Uncaught'.
    die(event.message.replace(/^Uncaught /, '') || 'its script could not be loaded');
  });
  worker.addEventListener('messageerror', () => die('a message from it could not be read'));
  return {
    init: (message, transfer) => worker.postMessage(message, [...transfer]),
    terminate: async () => die('it was terminated'),
  };
}

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

function onUnhandled(absorb: (error: unknown) => boolean): void {
  globalThis.addEventListener('error', (event) => {
    if (absorb(event.error)) event.preventDefault();
  });
  globalThis.addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    if (absorb(event.reason)) return;
    // Thrown from a task of its own it becomes an error of the Worker, which ends it.
    setTimeout(() => {
      throw event.reason;
    });
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
  startWorker,
  receiveInit,
  onUnhandled,
  afterTurn,
  resolveModule: (specifier) => new URL(specifier, globalThis.location.href).href,
  resolveFile: (path) => new URL(path, globalThis.location.href).href,
  openFile,
  openSwap,
  writeOutput: (bytes) => console.log(new TextDecoder().decode(bytes)),
  printLine: (line) => console.log(line),
};
