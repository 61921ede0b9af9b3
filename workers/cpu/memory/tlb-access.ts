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
 * so that a hit's value stays in a register. `this` has what differs from process to process.
 */
import { TLB_SLOTS } from '../../../kernel/index.ts';
import type { AccessGate, Cpu } from '../../../kernel/index.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { ProgramMmu } from './program-mmu.ts';

/** Where accesses go that cannot be done here. */
export interface Misses extends AccessGate {
  missLoad8(address: number): number;
  missLoad16(address: number): number;
  missLoad32(address: number): number;
  missStore8(address: number, value: number): void;
  missStore16(address: number, value: number): void;
  missStore32(address: number, value: number): void;
}

type Load = (this: Misses, address: number) => number;
type Store = (this: Misses, address: number, value: number) => void;

export interface TlbAccess {
  readonly load8: Load;
  readonly load16: Load;
  readonly load32: Load;
  readonly store8: Store;
  readonly store16: Store;
  readonly store32: Store;
}

const made: WeakMap<Cpu, TlbAccess> = new WeakMap();

export function tlbAccessOf(cpu: Cpu): TlbAccess {
  let access = made.get(cpu);
  if (access === undefined) {
    access = { ...loadsOf(cpu), ...storesOf(cpu) };
    made.set(cpu, access);
  }
  return access;
}

type Loads = Pick<TlbAccess, 'load8' | 'load16' | 'load32'>;
type Stores = Pick<TlbAccess, 'store8' | 'store16' | 'store32'>;

function loadsOf({ words, tlb }: Cpu): Loads {
  const { readBase, frameAt, polls } = tlb;
  const SLOTS = TLB_SLOTS - 1;
  return {
    load8(address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (readBase[slot] as number) + (low & 0xfff) === address &&
        words[this.generationAt] === this.generation &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        const word = words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
        return (word >>> ((low & 3) << 3)) & 0xff;
      }
      return this.missLoad8(address) | 0;
    },
    load16(address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (readBase[slot] as number) + (low & 0xffe) === address &&
        words[this.generationAt] === this.generation &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        const word = words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
        return (word >>> ((low & 2) << 3)) & 0xffff;
      }
      return this.missLoad16(address) | 0;
    },
    load32(address) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (readBase[slot] as number) + (low & 0xffc) === address &&
        words[this.generationAt] === this.generation &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        return words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] as number;
      }
      return this.missLoad32(address) | 0;
    },
  };
}

function storesOf({ words, tlb, machine }: Cpu): Stores {
  const { writeBase, frameAt, polls } = tlb;
  const SLOTS = TLB_SLOTS - 1;
  const { frameBase, frameBytes: bytes } = machine;
  return {
    store8(address, value) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (writeBase[slot] as number) + (low & 0xfff) === address &&
        words[this.generationAt] === this.generation &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        bytes[((frameAt[slot] as number) - frameBase) * 4 + (low & 0xfff)] = value;
      } else {
        this.missStore8(address, value);
      }
    },
    store16(address, value) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (writeBase[slot] as number) + (low & 0xffe) === address &&
        words[this.generationAt] === this.generation &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        const at = ((frameAt[slot] as number) - frameBase) * 4 + (low & 0xffe);
        bytes[at] = value;
        bytes[at + 1] = value >> 8;
      } else {
        this.missStore16(address, value);
      }
    },
    store32(address, value) {
      const low = address | 0;
      const slot = (low >>> 12) & SLOTS;
      if (
        (writeBase[slot] as number) + (low & 0xffc) === address &&
        words[this.generationAt] === this.generation &&
        (polls[0] = (polls[0] as number) - 1) > 0
      ) {
        words[(frameAt[slot] as number) + ((low & 0xffc) >> 2)] = value | 0;
      } else {
        this.missStore32(address, value);
      }
    },
  };
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
