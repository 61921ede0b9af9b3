/**
 * The page table that a user's mapping backend works on: a view of one RangeOp, for one call.
 *
 * Guarantees: whatever the backend does with it, the kernel's invariants hold. Arguments are
 * checked before anything is changed; frames come from the backend's own object, entries count
 * them, and go after the flush; every change is in the undo log. What the kernel throws in here is
 * remembered, in case the backend catches it.
 */
import {
  PAGE_ABSENT,
  atomics,
  beginPageIn,
  clearRange,
  dropPages,
  finishPageIn,
  firstUnlike,
  frameBytesOf,
  getPage,
  layout,
  objectPages,
  presentRange,
  protectRange,
  pte,
  putFrame,
  recordAt,
  reserveRange,
} from '../../../kernel/index.ts';
import type { MappingChange, RangeOp } from '../../../kernel/index.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { vpnOf } from '../../../shared/units.ts';
import type { ObjectBlock, ObjectPage, Pfn, VirtAddr, Vpn } from '../../../shared/units.ts';
import type { MappingTable } from '../../api/mapping-api.ts';
import { reserveStack } from '../../cpu/memory/stack-reserve.ts';
import { hexAddress } from '../../wire/hex-address.ts';

/** In place of a permission, for `firstUnlike`. */
const EMPTY = -1;

/** What is wrong with the range after the call. */
export type Shortfall = { readonly address: VirtAddr; readonly what: string } | null;

/** The view of the user's backend, and what its caller asks about it afterwards. */
export class OneCallTable implements MappingTable {
  readonly space: number;
  readonly #change: MappingChange;
  readonly #object: ObjectBlock;
  readonly #firstMark: number;
  readonly #delta: number;
  readonly #op: RangeOp;
  /** Pages that have a frame since this call. */
  readonly #made: ObjectPage[] = [];
  #isOpen = true;
  #lacksMemory = false;
  #broken: readonly [unknown] | null = null;

  constructor(op: RangeOp, change: MappingChange) {
    const { words, machine } = op.cpu;
    const record = recordAt(machine, change.record);
    this.#op = op;
    this.#change = change;
    this.#firstMark = op.checkpoint();
    this.#delta = atomics.peek(words, record + layout.RECORD.DELTA);
    this.#object = atomics.peek(words, record + layout.RECORD.OBJECT);
    this.space = atomics.peek(words, op.space + layout.SPACE.ID);
  }

  pageAt(address: number): number {
    return this.#range('pageAt', address, PAGE_SIZE)[0] + this.#delta;
  }

  map(address: number, page: number): boolean {
    const [vpn] = this.#vacant('map', address, PAGE_SIZE);
    this.#checkPage('map', page);
    return this.#kernel((op) => {
      const pfn = this.#frameOf(page);
      if (pfn === 0) return false;
      const bits = (this.#change.reserved & pte.PTE_RWX) | pte.PTE_SHARED;
      const isEntered = presentRange(op, vpn, vpn + 1, pfn, bits);
      putFrame(op.cpu, pfn);
      return isEntered;
    });
  }

  reserve(address: number, sizeBytes: number): boolean {
    const [startVpn, endVpn] = this.#vacant('reserve', address, sizeBytes);
    return this.#kernel((op) => reserveRange(op, startVpn, endVpn, this.#change.reserved));
  }

  clear(address: number, sizeBytes: number): boolean {
    const [startVpn, endVpn] = this.#range('clear', address, sizeBytes);
    return this.#kernel((op) => clearRange(op, startVpn, endVpn));
  }

  protect(address: number, sizeBytes: number, prot: number): boolean {
    const [startVpn, endVpn] = this.#range('protect', address, sizeBytes);
    if (!Number.isInteger(prot) || prot < 0 || prot > 7) {
      throw new RangeError(`protect: ${String(prot)} is no PROT_ flags`);
    }
    return this.#kernel((op) => protectRange(op, startVpn, endVpn, pte.rwxOfProt(prot)));
  }

  read(page: number): Uint8Array {
    this.#checkPage('read', page);
    const bytes = new Uint8Array(PAGE_SIZE);
    this.#kernel(({ cpu }) => {
      const pfn = getPage(cpu, this.#object, page);
      if (pfn <= 0) return true;
      bytes.set(frameBytesOf(cpu.machine, pfn));
      putFrame(cpu, pfn);
      return true;
    });
    return bytes;
  }

  write(page: number, bytes: Uint8Array, offsetBytes = 0): boolean {
    this.#checkPage('write', page);
    if (!ArrayBuffer.isView(bytes) || !(bytes instanceof Uint8Array)) {
      throw new TypeError('write: expected a Uint8Array');
    }
    // Before the kernel is entered, and without any method of a subclass.
    const copy = new Uint8Array(bytes);
    const isOffset = Number.isInteger(offsetBytes) && offsetBytes >= 0;
    if (!isOffset || offsetBytes + copy.length > PAGE_SIZE) {
      throw new RangeError(
        `write: ${copy.length} bytes from ${String(offsetBytes)} on are no part of a page`,
      );
    }
    return this.#kernel(({ cpu }) => {
      const pfn = this.#frameOf(page);
      if (pfn === 0) return false;
      frameBytesOf(cpu.machine, pfn).set(copy, offsetBytes);
      putFrame(cpu, pfn);
      return true;
    });
  }

  release(page: number): void {
    this.#checkPage('release', page);
    this.#kernel(({ cpu }) => {
      dropPages(cpu, this.#object, page, page + 1);
      return true;
    });
  }

  checkpoint(): number {
    this.#checkOpen('checkpoint');
    return this.#op.checkpoint();
  }

  rollback(checkpoint: number): boolean {
    this.#checkOpen('rollback');
    // Earlier ones are other areas' changes.
    if (!(Number.isInteger(checkpoint) && checkpoint >= this.#firstMark)) return false;
    return checkpoint <= this.#op.checkpoint() && this.#kernel((op) => op.rollback(checkpoint));
  }

  /** The call has ended. Throws what the kernel has thrown in it. */
  close(): void {
    this.#isOpen = false;
    if (this.#broken !== null) throw this.#broken[0];
  }

  /** The call has failed: the frames that it took go with the entries that are rolled back. */
  giveUp(): void {
    const { cpu } = this.#op;
    for (const page of this.#made) dropPages(cpu, this.#object, page, page + 1);
  }

  /** Whether the call has found no frame. */
  get lacksMemory(): boolean {
    return this.#lacksMemory;
  }

  /** What the call has left undone, after it has ended. */
  shortfall(): Shortfall {
    const { method, address, size, prot } = this.#change;
    const [startVpn, endVpn] = [vpnOf(address), vpnOf(address + size)];
    const rwx = method === 'unmap' ? EMPTY : pte.rwxOfProt(prot);
    const vpn = firstUnlike(this.#op, startVpn, endVpn, rwx);
    if (vpn < 0) return null;
    const isEmpty = firstUnlike(this.#op, vpn, vpn + 1, EMPTY) < 0;
    const what = isEmpty ? 'unmapped' : method === 'unmap' ? 'mapped' : 'with another permission';
    return { address: vpn * PAGE_SIZE, what };
  }

  /** Runs kernel code: false, and noted, when memory is exhausted. */
  #kernel(work: (op: RangeOp) => boolean): boolean {
    reserveStack();
    try {
      const isDone = work(this.#op);
      if (!isDone) this.#lacksMemory = true;
      return isDone;
    } catch (error) {
      this.#broken = [error];
      throw error;
    }
  }

  /** The page's frame, with a reference; 0 when memory is exhausted. */
  #frameOf(page: ObjectPage): Pfn {
    const { cpu } = this.#op;
    let pfn = getPage(cpu, this.#object, page);
    if (pfn === PAGE_ABSENT) {
      const fresh = beginPageIn(cpu);
      if (fresh === 0 || !finishPageIn(cpu, this.#object, page, fresh)) return 0;
      this.#made.push(page);
      pfn = getPage(cpu, this.#object, page);
    }
    return Math.max(0, pfn);
  }

  #checkOpen(method: string): void {
    if (!this.#isOpen) throw new TypeError(`${method}: the call of this page table has ended`);
  }

  #checkPage(method: string, page: number): void {
    this.#checkOpen(method);
    const pages = objectPages(this.#op.cpu, this.#object);
    if (!Number.isInteger(page) || page < 0 || page >= pages) {
      throw new RangeError(
        `${method}: the backend has pages 0 to ${pages - 1}, no ${String(page)}`,
      );
    }
  }

  #range(method: string, address: number, sizeBytes: number): [Vpn, Vpn] {
    this.#checkOpen(method);
    const { address: start, size } = this.#change;
    const isWhole = [address, sizeBytes].every((n) => Number.isInteger(n) && n % PAGE_SIZE === 0);
    if (!isWhole || sizeBytes <= 0) {
      throw new RangeError(`${method}: ${show(address, sizeBytes)} is no range of whole pages`);
    }
    if (address < start || address + sizeBytes > start + size) {
      throw new RangeError(
        `${method}: ${show(address, sizeBytes)} lies outside of the call's ${show(start, size)}`,
      );
    }
    return [vpnOf(address), vpnOf(address + sizeBytes)];
  }

  /** A range in which nothing is mapped. */
  #vacant(method: string, address: number, sizeBytes: number): [Vpn, Vpn] {
    const [startVpn, endVpn] = this.#range(method, address, sizeBytes);
    if (this.#change.method === 'unmap')
      throw new TypeError(`${method}: while a range is unmapped`);
    const vpn = firstUnlike(this.#op, startVpn, endVpn, EMPTY);
    if (vpn >= 0) {
      throw new RangeError(`${method}: ${hexAddress(vpn * PAGE_SIZE)} is mapped already`);
    }
    return [startVpn, endVpn];
  }
}

function show(address: number, sizeBytes: number): string {
  return `${hexAddress(Number(address))} +${hexAddress(Number(sizeBytes))}`;
}
