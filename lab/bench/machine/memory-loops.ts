/**
 * Loops over user memory, each beside the same loop over a raw typed array. Each is written out,
 * because the engine compiles a loop that calls a function parameter differently.
 */
import type { Memory, Proc } from '../../../workers/program.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { makeRandom } from '../../../shared/random.ts';
import { ACCESSES, ANONYMOUS, BULKS, BULK_BYTES, HIT_PAGES, RANDOM_PAGES, RW } from './sizes.ts';
import { fastest, nanosecondsEach } from './timing.ts';
import type { BesideRaw } from './timing.ts';

const HIT_BYTES: number = HIT_PAGES * PAGE_SIZE;
const SWEEPS: number = (ACCESSES * 4) / HIT_BYTES;

/** A sink for what loops compute, so that the engine cannot eliminate them. */
export let sink = 0;

function sumSequential(mem: Memory, base: number): number {
  let sum = 0;
  for (let at = 0; at < HIT_BYTES; at += 4) sum = (sum + mem.load32(base + at)) | 0;
  return sum;
}

function sumSequentialRaw(raw: Int32Array): number {
  let sum = 0;
  for (let at = 0; at < HIT_BYTES >> 2; at++) sum = (sum + (raw[at] as number)) | 0;
  return sum;
}

function storeSequential(mem: Memory, base: number, value: number): void {
  for (let at = 0; at < HIT_BYTES; at += 4) mem.store32(base + at, value);
}

function storeSequentialRaw(raw: Int32Array, value: number): void {
  for (let at = 0; at < HIT_BYTES >> 2; at++) raw[at] = value;
}

function sumPages(mem: Memory, base: number): number {
  let sum = 0;
  for (let word = 0; word < PAGE_SIZE; word += 4) {
    for (let page = 0; page < HIT_BYTES; page += PAGE_SIZE) {
      sum = (sum + mem.load32(base + page + word)) | 0;
    }
  }
  return sum;
}

function sumPagesRaw(raw: Int32Array): number {
  let sum = 0;
  for (let word = 0; word < PAGE_SIZE >> 2; word++) {
    for (let page = 0; page < HIT_BYTES >> 2; page += PAGE_SIZE >> 2) {
      sum = (sum + (raw[page + word] as number)) | 0;
    }
  }
  return sum;
}

function storePages(mem: Memory, base: number, value: number): void {
  for (let word = 0; word < PAGE_SIZE; word += 4) {
    for (let page = 0; page < HIT_BYTES; page += PAGE_SIZE) mem.store32(base + page + word, value);
  }
}

function storePagesRaw(raw: Int32Array, value: number): void {
  for (let word = 0; word < PAGE_SIZE >> 2; word++) {
    for (let page = 0; page < HIT_BYTES >> 2; page += PAGE_SIZE >> 2) raw[page + word] = value;
  }
}

function sumRandom(mem: Memory, base: number, offsets: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < offsets.length; i++) {
    sum = (sum + mem.load32(base + (offsets[i] as number))) | 0;
  }
  return sum;
}

function sumRandomRaw(raw: Int32Array, offsets: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < offsets.length; i++) {
    sum = (sum + (raw[(offsets[i] as number) >> 2] as number)) | 0;
  }
  return sum;
}

function storeRandom(mem: Memory, base: number, offsets: Int32Array, value: number): void {
  for (let i = 0; i < offsets.length; i++) mem.store32(base + (offsets[i] as number), value);
}

function storeRandomRaw(raw: Int32Array, offsets: Int32Array, value: number): void {
  for (let i = 0; i < offsets.length; i++) raw[(offsets[i] as number) >> 2] = value;
}

/** Runs loops over `sweeps` times; nanoseconds an access. */
function perAccess(sweeps: number, loop: () => number | void): number {
  return fastest(() =>
    nanosecondsEach(ACCESSES, () => {
      for (let sweep = 0; sweep < sweeps; sweep++) sink = (sink + Number(loop() ?? 0)) | 0;
    }),
  );
}

type Loop = () => number | void;

function accesses(sweeps: number, loop: Loop, raw: Loop): BesideRaw {
  return { ns: perAccess(sweeps, loop), rawNs: perAccess(sweeps, raw) };
}

export type Access =
  'loadSequential' | 'storeSequential' | 'loadPages' | 'storePages' | 'loadRandom' | 'storeRandom';
export type HitFigures = Readonly<Record<Access, BesideRaw>>;

/** Loads and stores that hit the TLB. */
export function hitFigures(proc: Proc): HitFigures {
  const { mem } = proc;
  const base = proc.local.mmap(0, RANDOM_PAGES * PAGE_SIZE, RW, ANONYMOUS);
  for (let page = 0; page < RANDOM_PAGES; page++) mem.store32(base + page * PAGE_SIZE, page);
  const raw = new Int32Array(new SharedArrayBuffer(RANDOM_PAGES * PAGE_SIZE));
  raw.fill(1);
  const random = makeRandom(1);
  const offsets = Int32Array.from({ length: ACCESSES / 4 }, () => {
    return random((RANDOM_PAGES * PAGE_SIZE) / 4) * 4;
  });
  const figures = {
    loadSequential: accesses(
      SWEEPS,
      () => sumSequential(mem, base),
      () => sumSequentialRaw(raw),
    ),
    storeSequential: accesses(
      SWEEPS,
      () => storeSequential(mem, base, 3),
      () => storeSequentialRaw(raw, 3),
    ),
    loadPages: accesses(
      SWEEPS,
      () => sumPages(mem, base),
      () => sumPagesRaw(raw),
    ),
    storePages: accesses(
      SWEEPS,
      () => storePages(mem, base, 3),
      () => storePagesRaw(raw, 3),
    ),
    loadRandom: accesses(
      4,
      () => sumRandom(mem, base, offsets),
      () => sumRandomRaw(raw, offsets),
    ),
    storeRandom: accesses(
      4,
      () => storeRandom(mem, base, offsets, 3),
      () => storeRandomRaw(raw, offsets, 3),
    ),
  };
  proc.local.munmap(base, RANDOM_PAGES * PAGE_SIZE);
  return figures;
}

function perBulk(operation: () => void): number {
  return fastest(() =>
    nanosecondsEach(BULKS, () => {
      for (let i = 0; i < BULKS; i++) operation();
    }),
  );
}

function bulk(operation: () => void, raw: () => void): BesideRaw {
  return { ns: perBulk(operation), rawNs: perBulk(raw) };
}

export type BulkFigures = Readonly<
  Record<'read' | 'write' | 'pinned' | 'copy' | 'fill', BesideRaw>
>;

/** 64 KiB at once, beside the same by TypedArray methods on a SharedArrayBuffer. */
export function bulkFigures(proc: Proc): BulkFigures {
  const { mem } = proc;
  const base = proc.local.mmap(0, 2 * BULK_BYTES, RW, ANONYMOUS);
  const other = base + BULK_BYTES;
  const shared = new Uint8Array(new SharedArrayBuffer(2 * BULK_BYTES));
  const half = shared.subarray(0, BULK_BYTES);
  const bytes = new Uint8Array(BULK_BYTES).fill(5);
  mem.write(base, bytes);
  mem.write(other, bytes);
  shared.fill(5);
  const pin = mem.pin(base, BULK_BYTES);
  const figures = {
    read: bulk(
      () => mem.readInto(base, bytes),
      () => bytes.set(half),
    ),
    write: bulk(
      () => mem.write(base, bytes),
      () => half.set(bytes),
    ),
    pinned: bulk(
      () => {
        let at = 0;
        for (const part of pin.parts) {
          bytes.set(part, at);
          at += part.length;
        }
      },
      () => bytes.set(half),
    ),
    copy: bulk(
      () => mem.copy(other, base, BULK_BYTES),
      () => shared.set(half, BULK_BYTES),
    ),
    fill: bulk(
      () => mem.fill(base, 7, BULK_BYTES),
      () => half.fill(7),
    ),
  };
  pin.unpin();
  proc.local.munmap(base, 2 * BULK_BYTES);
  return figures;
}
