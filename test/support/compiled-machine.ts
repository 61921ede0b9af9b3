/** Machines for tests on which the compiled kernel runs. */
import { base64 } from '#kernel-wasm-bytes';
import { formatMachine, machineBytes } from '../../kernel/format.ts';
import type { FormatOptions } from '../../kernel/format.ts';
import type { Machine } from '../../kernel/machine/machine.ts';
import { WASM_PAGE } from '../../kernel/machine/machine-memory.ts';

/** The compiled kernel; null when it was not built. */
export const kernelModule: WebAssembly.Module | null =
  base64 === '' ? null : new WebAssembly.Module(Buffer.from(base64, 'base64'));

/** A shared memory for a machine, of which an earlier machine may have been made. */
export function memoryFor(options: FormatOptions): WebAssembly.Memory {
  const { frames, cpus, swapSlots = 0 } = options;
  const pages = Math.ceil(machineBytes({ frames, cpus, swapSlots }) / WASM_PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** A machine on which compiled code can run. */
export function machineInMemory(
  options: FormatOptions,
  memory: WebAssembly.Memory = memoryFor(options),
): Machine {
  new Uint8Array(memory.buffer).fill(0);
  return formatMachine({ ...options, memory });
}
