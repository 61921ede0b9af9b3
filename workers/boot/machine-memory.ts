/**
 * The memory of a new machine, and the compiled kernel that runs on it. Where one of the two cannot
 * be had, the machine is a plain SharedArrayBuffer and its kernel JavaScript: a page whose
 * Content-Security-Policy forbids WebAssembly, a host without address space, 4 GiB of frames.
 */
import { platform } from '#platform';
import { base64 } from '#kernel-wasm-bytes';
import { WASM_PAGE, WASM_PAGES_MAX } from '../../kernel/index.ts';

let compiling: Promise<WebAssembly.Module | null> | null = null;

/** The compiled kernel, or null. Compiled once for all machines of a thread. */
export function compiledKernel(): Promise<WebAssembly.Module | null> {
  compiling ??= compile();
  return compiling;
}

async function compile(): Promise<WebAssembly.Module | null> {
  // The engine reserves 10 GiB of addresses for a memory, which a limit would refuse to others.
  if (base64 === '' || typeof WebAssembly === 'undefined' || platform.limitsAddresses())
    return null;
  try {
    return await WebAssembly.compile(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    // The page forbids it, or the engine lacks a feature that the module needs.
    return null;
  }
}

/** A memory of at least `bytes` bytes; null where the host has none, or none so large. */
export function newMemory(bytes: number): WebAssembly.Memory | null {
  const pages = Math.ceil(bytes / WASM_PAGE);
  if (pages > WASM_PAGES_MAX) return null;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch {
    return null;
  }
}
