/*
 * The seeds' mock: a page table of one byte for each address, and a backend that writes flags
 * into it. It is what tests and first experiments with MemorySet use.
 *
 * *Guarantees*: as the seeds' mock, an operation that meets a byte it cannot work on (mapped when
 * mapping, unmapped otherwise) returns false and leaves the prefix that it wrote. Addresses beyond
 * the table are ignored. *Locking*: none; one thread. *Not guaranteed*: rollback to a checkpoint
 * older than the last forget().
 */
import type { AddrRange } from '../../shared/addr/addr-range.ts';
import type { BackendResult, MappingBackend, PageTableLike } from './mapping-backend.ts';
import type { MappingResult } from './mapping-result.ts';
import { MemoryArea } from './memory-area.ts';
import { MemorySet } from './memory-set.ts';

/** Addresses of the seeds' mock. */
export const MOCK_ADDR_MAX = 0x10000;

/** One byte for each address, 0 if unmapped, with an undo log. */
export class MockPageTable implements PageTableLike {
  /** The flags by address. */
  readonly entries: Uint8Array;
  readonly #log: { readonly address: number; readonly entry: number }[] = [];
  /** Log entries forgotten so far: a checkpoint counts them too. */
  #forgotten = 0;

  constructor(addresses: number = MOCK_ADDR_MAX) {
    this.entries = new Uint8Array(addresses);
  }

  /** The flags at `address`, 0 if unmapped or beyond the table. */
  entry(address: number): number {
    return this.entries[address] ?? 0;
  }

  /** Writes an entry through the log. */
  write(address: number, entry: number): void {
    this.#log.push({ address, entry: this.entry(address) });
    this.entries[address] = entry;
  }

  checkpoint(): number {
    return this.#forgotten + this.#log.length;
  }

  rollback(checkpoint: number): boolean {
    if (!(checkpoint >= this.#forgotten && checkpoint <= this.checkpoint())) return false;
    while (this.checkpoint() > checkpoint) {
      const last = this.#log.pop();
      if (last !== undefined) this.entries[last.address] = last.entry;
    }
    return true;
  }

  /** Drops the log: what happened so far can no longer be undone. */
  forget(): void {
    this.#forgotten += this.#log.length;
    this.#log.length = 0;
  }
}

/** Observes the calls of the backends that share it and makes one of them fail. */
export class MockFaults {
  /** As `unmap 0x1000 0x800`, in order. */
  readonly calls: string[] = [];
  /** The call that fails next: 0 the next one, 1 the one after it, …; -1 none. */
  failAfterCalls = -1;
  /** Bytes that the failing call still writes. */
  prefixSize = 0;
  /** What the failing call returns. */
  result: BackendResult = false;
}

type MockOperation = 'map' | 'unmap' | 'protect';

/** Backends with the same name are equal as values, hence mergeable. */
export class MockBackend implements MappingBackend<number, MockPageTable> {
  /** What it is compared by. */
  readonly name: string;
  readonly #faults: MockFaults | null;

  constructor(name = 'mock', faults: MockFaults | null = null) {
    this.name = name;
    this.#faults = faults;
  }

  map(start: number, size: number, flags: number, pt: MockPageTable): BackendResult {
    return this.#run('map', start, size, flags, pt);
  }

  unmap(start: number, size: number, pt: MockPageTable): BackendResult {
    return this.#run('unmap', start, size, 0, pt);
  }

  protect(start: number, size: number, newFlags: number, pt: MockPageTable): BackendResult {
    return this.#run('protect', start, size, newFlags, pt);
  }

  clone(): MockBackend {
    return new MockBackend(this.name, this.#faults);
  }

  canMerge(_left: AddrRange, other: MappingBackend<number, MockPageTable>): boolean {
    return other instanceof MockBackend && other.name === this.name;
  }

  merged(): MockBackend {
    return this;
  }

  #run(
    operation: MockOperation,
    start: number,
    size: number,
    entry: number,
    pt: MockPageTable,
  ): BackendResult {
    const faults = this.#faults;
    faults?.calls.push(`${operation} 0x${start.toString(16)} 0x${size.toString(16)}`);
    const failing = faults !== null && faults.failAfterCalls-- === 0;
    const limit = failing ? start + Math.min(size, faults.prefixSize) : start + size;
    const end = Math.min(limit, pt.entries.length);
    for (let address = start; address < end; address++) {
      if ((pt.entry(address) === 0) !== (operation === 'map')) return false;
      pt.write(address, entry);
    }
    return failing ? faults.result : true;
  }
}

/** A MemorySet over a mock page table, with numbers as flags. */
export type MockMemorySet = MemorySet<number, MockPageTable, MockBackend>;

/** An empty mock set on the heap. */
export function mockMemorySet(): MockMemorySet {
  return new MemorySet<number, MockPageTable, MockBackend>();
}

/** Maps [start, start + size) with `flags` in a mock set. */
export function mockMap(
  set: MockMemorySet,
  pt: MockPageTable,
  start: number,
  size: number,
  flags: number,
  unmapOverlap = false,
): MappingResult {
  const area = new MemoryArea<number, MockPageTable, MockBackend>(
    start,
    size,
    flags,
    new MockBackend(),
  );
  return set.map(area, pt, unmapOverlap);
}
