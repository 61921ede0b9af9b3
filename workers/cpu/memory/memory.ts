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
import type { Memory, PinnedMemory } from '../../api/machine-api.ts';
import { AccessMisses } from './access-misses.ts';
import { checkLength, copyUser, fillUser, readUser, writeUser } from './bulk-memory.ts';
import { bytesOf } from './byte-array.ts';
import { pinMemory } from './pinned-memory.ts';
import { checkAddress } from './program-mmu.ts';
import type { ProgramMmu } from './program-mmu.ts';
import { TlbMemory, gateOf, wordAt } from './tlb-access.ts';

/** Reinterprets bits between numbers; private to the thread, used within one expression. */
const scratch = new DataView(new ArrayBuffer(8));

export class UserMemory extends TlbMemory implements Memory {
  readonly #mmu: ProgramMmu;

  constructor(mmu: ProgramMmu) {
    super(mmu.cpu, new AccessMisses(mmu));
    this.#mmu = mmu;
    mmu.attach(gateOf(this));
    // Against accidents: nothing of it is for programs to change.
    Object.freeze(this);
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
    const bits = BigInt.asIntN(64, value);
    this.store32(address, Number(BigInt.asIntN(32, bits)));
    this.store32(address + 4, Number(bits >> 32n));
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
    const bits = value | 0;
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    storeOrdered(this.#mmu.words, at, bits);
  }

  atomicAdd32(address: number, value: number): number {
    const bits = value | 0;
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    return add(this.#mmu.words, at, bits);
  }

  atomicExchange32(address: number, value: number): number {
    const bits = value | 0;
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    return exchange(this.#mmu.words, at, bits);
  }

  atomicCompareExchange32(address: number, expected: number, replacement: number): number {
    const [before, after] = [expected | 0, replacement | 0];
    const at = this.#atomicAt(address, true);
    // ORDER: as the program asked.
    return compareExchange(this.#mmu.words, at, before, after);
  }

  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    checkAddress(address);
    checkLength(length);
    const target = new Uint8Array(length);
    readUser(this.#mmu, address, target);
    return target;
  }

  readInto(address: number, target: Uint8Array): void {
    checkAddress(address);
    readUser(this.#mmu, address, bytesOf('readInto', target));
  }

  write(address: number, source: Uint8Array): void {
    checkAddress(address);
    writeUser(this.#mmu, address, bytesOf('write', source));
  }

  copy(to: number, from: number, length: number): void {
    checkAddress(to);
    checkAddress(from);
    copyUser(this.#mmu, to, from, length);
  }

  fill(address: number, value: number, length: number): void {
    checkAddress(address);
    const bits = value & 0xff;
    fillUser(this.#mmu, address, bits, length);
  }

  pin(address: number, length: number, write: boolean = true): PinnedMemory {
    checkAddress(address);
    checkLength(length);
    if (length === 0) throw new RangeError('pin: a length of 0');
    return pinMemory(this.#mmu, address, length, write);
  }

  #atomicAt(address: number, write: boolean): number {
    if (address % 4 !== 0)
      throw new RangeError(`atomic access: 0x${Number(address).toString(16)} is not aligned`);
    if (!this.#mmu.translate(address, write)) {
      throw new RangeError(`atomic access: 0x${address.toString(16)} is a device register`);
    }
    return wordAt(this.#mmu, address);
  }
}
