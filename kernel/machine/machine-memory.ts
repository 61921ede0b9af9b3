/**
 * What a machine is made of: a shared WebAssembly.Memory, whose buffer is the machine, or a plain
 * SharedArrayBuffer where there is no WebAssembly. Only on the former can compiled code run. A
 * memory that is posted to a Worker arrives as the same memory; its buffer alone would not.
 */
import { panic } from '../../shared/panic.ts';

/** The memory of a machine, as it is posted from Worker to Worker. */
export type MachineMemory = SharedArrayBuffer | WebAssembly.Memory;

/** Bytes of a page of a WebAssembly.Memory, and the most pages with 32-bit addresses. */
export const WASM_PAGE = 65536;
/** The most pages of such a memory: 4 GiB. */
export const WASM_PAGES_MAX = 65536;

/** The machine's bytes. */
export function bufferOf(memory: MachineMemory): SharedArrayBuffer {
  const buffer = 'buffer' in memory ? memory.buffer : memory;
  if (buffer instanceof SharedArrayBuffer) return buffer;
  return panic('bufferOf: the memory is not shared', buffer.byteLength);
}
