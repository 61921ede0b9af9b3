/**
 * Loads and stores of up to 32 bits that the TLB's test turned away (tlb-access.ts). A value
 * becomes an integer before its address is looked up: an object's valueOf might unmap it.
 */
import type { ProgramMmu } from './program-mmu.ts';
import { byteAt, wordAt } from './tlb-access.ts';
import type { Misses, TlbMemory } from './tlb-access.ts';

export class AccessMisses implements Misses {
  readonly #mmu: ProgramMmu;

  constructor(mmu: ProgramMmu) {
    this.#mmu = mmu;
  }

  load8(memory: TlbMemory, address: number): number {
    const mmu = this.#mmu;
    if (!mmu.translate(address, false)) return mmu.deviceLoad(address, 1);
    return mmu.bytes[byteAt(mmu, address)] as number;
  }

  load16(memory: TlbMemory, address: number): number {
    const mmu = this.#mmu;
    if ((address & 1) !== 0) return memory.load8(address) | (memory.load8(address + 1) << 8);
    if (!mmu.translate(address, false)) return mmu.deviceLoad(address, 2);
    const at = byteAt(mmu, address);
    return (mmu.bytes[at] as number) | ((mmu.bytes[at + 1] as number) << 8);
  }

  load32(memory: TlbMemory, address: number): number {
    const mmu = this.#mmu;
    if ((address & 3) !== 0) return memory.load16(address) | (memory.load16(address + 2) << 16);
    if (!mmu.translate(address, false)) return mmu.deviceLoad(address, 4) | 0;
    return mmu.words[wordAt(mmu, address)] as number;
  }

  store8(memory: TlbMemory, address: number, value: number): void {
    const mmu = this.#mmu;
    const bits = value | 0;
    if (!mmu.translate(address, true)) return mmu.deviceStore(address, 1, bits & 0xff);
    mmu.bytes[byteAt(mmu, address)] = bits;
  }

  store16(memory: TlbMemory, address: number, value: number): void {
    const mmu = this.#mmu;
    const bits = value | 0;
    if ((address & 1) !== 0) {
      memory.store8(address, bits);
      memory.store8(address + 1, bits >> 8);
      return;
    }
    if (!mmu.translate(address, true)) return mmu.deviceStore(address, 2, bits & 0xffff);
    const at = byteAt(mmu, address);
    mmu.bytes[at] = bits;
    mmu.bytes[at + 1] = bits >> 8;
  }

  store32(memory: TlbMemory, address: number, value: number): void {
    const mmu = this.#mmu;
    const bits = value | 0;
    if ((address & 3) !== 0) {
      memory.store16(address, bits);
      memory.store16(address + 2, bits >> 16);
      return;
    }
    if (!mmu.translate(address, true)) return mmu.deviceStore(address, 4, bits >>> 0);
    mmu.words[wordAt(mmu, address)] = bits;
  }
}
