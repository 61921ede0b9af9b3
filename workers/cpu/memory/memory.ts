/**
 * `proc.mem`: user memory as a program sees it. TLB hits are in tlb-access.ts, bulk operations in
 * bulk-memory.ts; everything else is here.
 */
import {
  add,
  compareExchange,
  exchange,
  load as loadOrdered,
  store as storeOrdered,
} from '../../../shared/atomics.ts';
import { AccessGate } from '../../../kernel/index.ts';
import type { Memory } from '../../api/machine-api.ts';
import { copyUser, fillUser, readUser, writeUser } from './bulk-memory.ts';
import type { ProgramMmu } from './program-mmu.ts';
import { byteAt, tlbAccessOf, wordAt } from './tlb-access.ts';
import type { Misses, TlbAccess } from './tlb-access.ts';

/** Reinterprets bits between numbers; private to the thread, used within one expression. */
const scratch = new DataView(new ArrayBuffer(8));

export class UserMemory extends AccessGate implements Memory, Misses {
  readonly load8: TlbAccess['load8'];
  readonly load16: TlbAccess['load16'];
  readonly load32: TlbAccess['load32'];
  readonly store8: TlbAccess['store8'];
  readonly store16: TlbAccess['store16'];
  readonly store32: TlbAccess['store32'];
  readonly #mmu: ProgramMmu;

  constructor(mmu: ProgramMmu) {
    super();
    const access = tlbAccessOf(mmu.cpu);
    this.load8 = access.load8;
    this.load16 = access.load16;
    this.load32 = access.load32;
    this.store8 = access.store8;
    this.store16 = access.store16;
    this.store32 = access.store32;
    this.#mmu = mmu;
    mmu.attach(this);
  }

  /** @internal The access misses the TLB, is not aligned, or a poll is due. */
  missLoad8(address: number): number {
    const mmu = this.#mmu;
    if (!mmu.translate(address, false)) return mmu.deviceLoad(address, 1);
    return mmu.bytes[byteAt(mmu, address)] as number;
  }

  /** @internal */
  missLoad16(address: number): number {
    const mmu = this.#mmu;
    if ((address & 1) !== 0) return this.load8(address) | (this.load8(address + 1) << 8);
    if (!mmu.translate(address, false)) return mmu.deviceLoad(address, 2);
    const at = byteAt(mmu, address);
    return (mmu.bytes[at] as number) | ((mmu.bytes[at + 1] as number) << 8);
  }

  /** @internal */
  missLoad32(address: number): number {
    const mmu = this.#mmu;
    if ((address & 3) !== 0) return this.load16(address) | (this.load16(address + 2) << 16);
    if (!mmu.translate(address, false)) return mmu.deviceLoad(address, 4) | 0;
    return mmu.words[wordAt(mmu, address)] as number;
  }

  /** @internal */
  missStore8(address: number, value: number): void {
    const mmu = this.#mmu;
    if (!mmu.translate(address, true)) return mmu.deviceStore(address, 1, value & 0xff);
    mmu.bytes[byteAt(mmu, address)] = value;
  }

  /** @internal */
  missStore16(address: number, value: number): void {
    const mmu = this.#mmu;
    if ((address & 1) !== 0) {
      this.store8(address, value);
      this.store8(address + 1, value >> 8);
      return;
    }
    if (!mmu.translate(address, true)) return mmu.deviceStore(address, 2, value & 0xffff);
    const at = byteAt(mmu, address);
    mmu.bytes[at] = value;
    mmu.bytes[at + 1] = value >> 8;
  }

  /** @internal */
  missStore32(address: number, value: number): void {
    const mmu = this.#mmu;
    if ((address & 3) !== 0) {
      this.store16(address, value);
      this.store16(address + 2, value >> 16);
      return;
    }
    if (!mmu.translate(address, true)) return mmu.deviceStore(address, 4, value >>> 0);
    mmu.words[wordAt(mmu, address)] = value;
  }

  load64(address: number): bigint {
    const low = BigInt(this.load32(address) >>> 0);
    return BigInt.asIntN(64, (BigInt(this.load32(address + 4)) << 32n) | low);
  }

  loadF32(address: number): number {
    scratch.setInt32(0, this.load32(address));
    return scratch.getFloat32(0);
  }

  loadF64(address: number): number {
    // The two loads may fault and run a handler; only then is the scratch filled.
    const low = this.load32(address);
    const high = this.load32(address + 4);
    scratch.setInt32(0, high);
    scratch.setInt32(4, low);
    return scratch.getFloat64(0);
  }

  store64(address: number, value: bigint): void {
    this.store32(address, Number(BigInt.asIntN(32, value)));
    this.store32(address + 4, Number(BigInt.asIntN(32, value >> 32n)));
  }

  storeF32(address: number, value: number): void {
    scratch.setFloat32(0, value);
    this.store32(address, scratch.getInt32(0));
  }

  storeF64(address: number, value: number): void {
    scratch.setFloat64(0, value);
    const high = scratch.getInt32(0);
    const low = scratch.getInt32(4);
    this.store32(address, low);
    this.store32(address + 4, high);
  }

  atomicLoad32(address: number): number {
    const at = this.#atomicAt(address, false);
    // ORDER: the program asked for a sequentially consistent access.
    return loadOrdered(this.#mmu.words, at);
  }

  atomicStore32(address: number, value: number): void {
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    storeOrdered(this.#mmu.words, at, value);
  }

  atomicAdd32(address: number, value: number): number {
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    return add(this.#mmu.words, at, value);
  }

  atomicExchange32(address: number, value: number): number {
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    return exchange(this.#mmu.words, at, value);
  }

  atomicCompareExchange32(address: number, expected: number, replacement: number): number {
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    return compareExchange(this.#mmu.words, at, expected, replacement);
  }

  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(length);
    readUser(this.#mmu, address, target);
    return target;
  }

  readInto(address: number, target: Uint8Array): void {
    readUser(this.#mmu, address, target);
  }

  write(address: number, source: Uint8Array): void {
    writeUser(this.#mmu, address, source);
  }

  copy(to: number, from: number, length: number): void {
    copyUser(this.#mmu, to, from, length);
  }

  fill(address: number, value: number, length: number): void {
    fillUser(this.#mmu, address, value, length);
  }

  #atomicAt(address: number, write: boolean): number {
    if (address % 4 !== 0)
      throw new RangeError(`atomic access: 0x${address.toString(16)} is not aligned`);
    if (!this.#mmu.translate(address, write)) {
      throw new RangeError(`atomic access: 0x${address.toString(16)} is a device register`);
    }
    return wordAt(this.#mmu, address);
  }
}
