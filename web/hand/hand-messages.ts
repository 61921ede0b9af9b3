/** What the page and the program that it drives by hand say to each other, on one channel. */

/** A call that the page asks for. Addresses and lengths are bytes, permissions PROT_ bits. */
export type HandCall =
  | {
      readonly call: 'mmap';
      readonly bytes: number;
      readonly prot: number;
      readonly shared: boolean;
    }
  | { readonly call: 'read'; readonly address: number }
  | { readonly call: 'write'; readonly address: number; readonly value: number }
  | {
      readonly call: 'mprotect';
      readonly address: number;
      readonly bytes: number;
      readonly prot: number;
    }
  | { readonly call: 'munmap' | 'discard'; readonly address: number; readonly bytes: number }
  | { readonly call: 'fill'; readonly address: number; readonly bytes: number }
  | { readonly call: 'busy'; readonly address: number; readonly ms: number }
  | { readonly call: 'fork' | 'thread' | 'exit' };

export interface HandRequest {
  readonly to: number;
  readonly id: number;
  readonly what: HandCall;
}

/** `error` is set when the call failed: a syscall's errno, or a fault's signal and code. */
export interface HandReply {
  readonly id: number;
  readonly result: number;
  readonly error: string | null;
}

/** A process says that it listens. */
export interface HandHello {
  readonly hello: number;
}
