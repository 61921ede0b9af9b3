/**
 * Accesses that hit the TLB: the loads and stores that make up a program's loops.
 *
 * `base + offset === address`, with the offset aligned as the access is, holds for an aligned
 * address in the page of the entry and for nothing else: no fraction, no NaN, no address beyond
 * 2^42, and no entry whose base is not a multiple of 4096. It takes one conversion of the address
 * to an integer, where splitting the address would take two.
 *
 * The functions are made once for each CPU, not for each process, with the CPU's arrays as
 * constants: the engine then compiles addresses and lengths into the program's loop instead of
 * loading them at each access (docs/performance.md: 2.7 ns instead of 5.4). For the same reason
 * they are written out one by one, and `| 0` tells the engine that a miss returns an integer too,
 * so that a hit's value stays in a register. `this` has what differs from process to process, in
 * private fields: a program cannot open its own gate.
 *
 * Only a number is stored here: an object's valueOf might unmap the address. Misses convert such a
 * value before they look up its address.
 */
import { TLB_SLOTS } from '../../../kernel/index.ts';
import type { AccessGate, Cpu } from '../../../kernel/index.ts';
import * as BOOT from '../../../shared/layout/boot.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { WordIndex } from '../../../shared/units.ts';
import type { ProgramMmu } from './program-mmu.ts';

type Load = (this: TlbMemory, address: number) => number;
type Store = (this: TlbMemory, address: number, value: number) => void;

export interface TlbAccess {
  readonly load8: Load;
  readonly load16: Load;
  readonly load32: Load;
  readonly store8: Store;
  readonly store16: Store;
  readonly store32: Store;
}

/**
 * Where accesses go that cannot be done here: they miss the TLB, are not aligned, or a poll is due.
 * `memory` is the one that was accessed.
 */
export interface Misses {
  load8(memory: TlbMemory, address: number): number;
  load16(memory: TlbMemory, address: number): number;
  load32(memory: TlbMemory, address: number): number;
  store8(memory: TlbMemory, address: number, value: number): void;
  store16(memory: TlbMemory, address: number, value: number): void;
  store32(memory: TlbMemory, address: number, value: number): void;
}

type Loads = Pick<TlbAccess, 'load8' | 'load16' | 'load32'>;
type Stores = Pick<TlbAccess, 'store8' | 'store16' | 'store32'>;

const made: WeakMap<Cpu, TlbAccess> = new WeakMap();

/** Opens and shuts the gate of a memory. Not a method of it: a program has the memory. */
export let gateOf: (memory: TlbMemory) => AccessGate;

export class TlbMemory implements TlbAccess {
  readonly load8: Load;
  readonly load16: Load;
  readonly load32: Load;
  readonly store8: Store;
  readonly store16: Store;
  readonly store32: Store;
  /** As in AccessGate; shut. */
  #generationAt: WordIndex = BOOT.MAGIC;
  #generation: number = ~BOOT.MAGIC_NUMBER;
  readonly #misses: Misses;

  static {
    class Gate implements AccessGate {
      readonly #memory: TlbMemory;

      constructor(memory: TlbMemory) {
        this.#memory = memory;
      }

      get generationAt(): WordIndex {
        return this.#memory.#generationAt;
      }

      set generationAt(at: WordIndex) {
        this.#memory.#generationAt = at;
      }

      get generation(): number {
        return this.#memory.#generation;
      }

      set generation(generation: number) {
        this.#memory.#generation = generation;
      }
    }
    gateOf = (memory) => new Gate(memory);
  }

  constructor(cpu: Cpu, misses: Misses) {
    const access = TlbMemory.#accessOf(cpu);
    this.load8 = access.load8;
    this.load16 = access.load16;
    this.load32 = access.load32;
    this.store8 = access.store8;
    this.store16 = access.store16;
    this.store32 = access.store32;
    this.#misses = misses;
  }

  static #accessOf(cpu: Cpu): TlbAccess {
    let access = made.get(cpu);
    if (access === undefined) {
      access = { ...TlbMemory.#loadsOf(cpu), ...TlbMemory.#storesOf(cpu) };
      made.set(cpu, access);
    }
    return access;
  }

  static #loadsOf({ words, tlb }: Cpu): Loads {
    const { readBase, frameAt, polls } = tlb;
    const SLOTS = TLB_SLOTS - 1;
    return {
      load8(address) {
        const low = address | 0;
        const slot = (low >>> 12) & SLOTS;
        if (
          (readBase[slot] as number) + (low & 0xfff) === address &&
          words[this.#generationAt] === this.#generation &&
          (polls[0] = (polls[0] as number) - 1) > 0
        ) {
          const word = words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
          return (word >>> ((low & 3) << 3)) & 0xff;
        }
        return this.#misses.load8(this, address) | 0;
      },
      load16(address) {
        const low = address | 0;
        const slot = (low >>> 12) & SLOTS;
        if (
          (readBase[slot] as number) + (low & 0xffe) === address &&
          words[this.#generationAt] === this.#generation &&
          (polls[0] = (polls[0] as number) - 1) > 0
        ) {
          const word = words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
          return (word >>> ((low & 2) << 3)) & 0xffff;
        }
        return this.#misses.load16(this, address) | 0;
      },
      load32(address) {
        const low = address | 0;
        const slot = (low >>> 12) & SLOTS;
        if (
          (readBase[slot] as number) + (low & 0xffc) === address &&
          words[this.#generationAt] === this.#generation &&
          (polls[0] = (polls[0] as number) - 1) > 0
        ) {
          return words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
        }
        return this.#misses.load32(this, address) | 0;
      },
    };
  }

  static #storesOf({ words, tlb, machine }: Cpu): Stores {
    const { writeBase, frameAt, polls } = tlb;
    const SLOTS = TLB_SLOTS - 1;
    const { frameBase, frameBytes: bytes } = machine;
    return {
      store8(address, value) {
        const low = address | 0;
        const slot = (low >>> 12) & SLOTS;
        if (
          (writeBase[slot] as number) + (low & 0xfff) === address &&
          words[this.#generationAt] === this.#generation &&
          (polls[0] = (polls[0] as number) - 1) > 0 &&
          typeof value === 'number'
        ) {
          bytes[((frameAt[slot] as number) - frameBase) * 4 + (low & 0xfff)] = value;
        } else {
          this.#misses.store8(this, address, value);
        }
      },
      store16(address, value) {
        const low = address | 0;
        const slot = (low >>> 12) & SLOTS;
        if (
          (writeBase[slot] as number) + (low & 0xffe) === address &&
          words[this.#generationAt] === this.#generation &&
          (polls[0] = (polls[0] as number) - 1) > 0 &&
          typeof value === 'number'
        ) {
          const at = ((frameAt[slot] as number) - frameBase) * 4 + (low & 0xffe);
          bytes[at] = value;
          bytes[at + 1] = value >> 8;
        } else {
          this.#misses.store16(this, address, value);
        }
      },
      store32(address, value) {
        const low = address | 0;
        const slot = (low >>> 12) & SLOTS;
        if (
          (writeBase[slot] as number) + (low & 0xffc) === address &&
          words[this.#generationAt] === this.#generation &&
          (polls[0] = (polls[0] as number) - 1) > 0 &&
          typeof value === 'number'
        ) {
          words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] = value | 0;
        } else {
          this.#misses.store32(this, address, value);
        }
      },
    };
  }
}

// Where an address whose page is in the TLB lies in the machine, until the next poll. Computed
// from the address's low 32 bits: `%` of a large double takes 40 ns.

/** Position of an address in its page. */
export function offsetIn(address: number): number {
  return (address | 0) & (PAGE_SIZE - 1);
}

/** The TLB's slot for an address. */
export function slotOf(address: number): number {
  return ((address | 0) >>> 12) & (TLB_SLOTS - 1);
}

/** Index in `mmu.bytes`. */
export function byteAt(mmu: ProgramMmu, address: number): number {
  const frame = mmu.frameAt[slotOf(address)] as number;
  return (frame - mmu.frameBase) * 4 + offsetIn(address);
}

/** Index in `mmu.words` of an aligned address. */
export function wordAt(mmu: ProgramMmu, address: number): number {
  return (mmu.frameAt[slotOf(address)] as number) + (offsetIn(address) >> 2);
}
