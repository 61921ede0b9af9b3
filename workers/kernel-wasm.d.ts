/** What build/wasm makes of the kernel: see build/wasm/glue.ts. */
declare module '#kernel-wasm' {
  import type { Cpu, LockingProtocol } from '../kernel/index.ts';

  /** The protocols that are compiled. */
  export const implementations: readonly LockingProtocol[];
  /** What panics say, by number. */
  export const messages: readonly string[];
  /** The values that an instance for `cpu` gets; `protocol` is its number among those above. */
  export function globals(cpu: Cpu, protocol: number): Record<string, number>;
  /** The functions that it calls. */
  export function functions(cpu: Cpu): Record<string, (...values: number[]) => unknown>;
}

declare module '#kernel-wasm-bytes' {
  /** The module in base64; empty where it was not built. */
  export const base64: string;
}
