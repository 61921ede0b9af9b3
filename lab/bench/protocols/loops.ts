/**
 * RadixVM's mapbench and will-it-scale, in their thread variants: one thread's part. Each returns
 * the operations that it made, in the unit that the original counts.
 */
import type { Words } from '../../../shared/atomics.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import * as M from '../../../shared/abi/mman.ts';
import { GLOBAL_FIXED_PAGES, GLOBAL_SLICE_PAGES } from './benchmarks.ts';
import type { LoopName } from './benchmarks.ts';
import { barrier, post, take } from './control-words.ts';
import { BASE } from './cortenmm.ts';
import { nextRandom, shuffle } from './offsets.ts';
import { ANONYMOUS } from './thread.ts';
import type { BenchThread } from './thread.ts';

/** Distance between the CPUs' pages in mapbench, for each page that they map. */
const MAPBENCH_STRIDE = 2 ** 20;
/** Bytes of tlb_flush2's region. */
const TLB_FLUSH2_BYTES: number = 2 ** 20;

export interface LoopContext {
  readonly thread: BenchThread;
  readonly control: Words;
  /** 0 to threads − 1. */
  readonly index: number;
  readonly threads: number;
  readonly iterations: number;
  /** Bytes of a will-it-scale region. */
  readonly regionBytes: number;
  /** Descriptor of this thread's file, or −1. */
  readonly fd: number;
  readonly seed: number;
}

/** The operations that a run of each loop made: page faults for page_fault*, else iterations. */
export const LOOPS: Readonly<Record<LoopName, (context: LoopContext) => number>> = {
  local,
  pipeline,
  global: (context) => global(context, GLOBAL_SLICE_PAGES),
  'global-fixed': (context) => global(context, Math.floor(GLOBAL_FIXED_PAGES / context.threads)),
  mmap1: mapRegion,
  mmap2: mapRegion,
  page_fault1: (context) => faultRegion(context, M.MAP_PRIVATE),
  page_fault2: (context) => faultRegion(context, M.MAP_PRIVATE),
  page_fault3: (context) => faultRegion(context, M.MAP_SHARED),
  brk1: breaks,
  malloc1: allocate,
  tlb_flush1: (context) => discard(context, context.regionBytes, M.MAP_PRIVATE),
  tlb_flush2: (context) => {
    return discard(context, Math.min(context.regionBytes, TLB_FLUSH2_BYTES), ANONYMOUS);
  },
  tlb_flush3: (context) => discard(context, context.regionBytes, M.MAP_SHARED),
};

function local({ thread, index, iterations }: LoopContext): number {
  const address = BASE + index * MAPBENCH_STRIDE;
  for (let i = 0; i < iterations; i++) {
    thread.mmap(address, PAGE_SIZE, ANONYMOUS | M.MAP_FIXED);
    thread.store8(address, i & 0xff);
    thread.munmap(address, PAGE_SIZE);
  }
  return iterations;
}

/**
 * Places that a CPU maps in turn. When it has passed on the third, its neighbour has taken the
 * second, and so no longer uses the first.
 */
const PIPELINE_PLACES = 3;

function pipeline(context: LoopContext): number {
  const { thread, control, index, threads, iterations } = context;
  const sibling = (index + 1) % threads;
  for (let i = 0; i < iterations; i++) {
    const place = index * PIPELINE_PLACES + (i % PIPELINE_PLACES);
    const address = BASE + place * MAPBENCH_STRIDE;
    thread.mmap(address, PAGE_SIZE, ANONYMOUS | M.MAP_FIXED);
    thread.store8(address, i & 0xff);
    post(control, sibling, address / PAGE_SIZE, thread);
    const received = take(control, index, thread) * PAGE_SIZE;
    thread.store8(received, i & 0xff);
    thread.munmap(received, PAGE_SIZE);
  }
  return iterations;
}

function global(context: LoopContext, slicePages: number): number {
  const { thread, control, index, threads, iterations, seed } = context;
  const slice = BASE + index * slicePages * PAGE_SIZE;
  const order = Array.from({ length: slicePages * threads }, (_, page) => page);
  let state = (seed + index) >>> 0;
  for (let i = 0; i < iterations; i++) {
    state = nextRandom(state);
    shuffle(order, state);
    thread.mmap(slice, slicePages * PAGE_SIZE, ANONYMOUS | M.MAP_FIXED);
    barrier(control, threads, thread);
    for (const page of order) thread.store8(BASE + page * PAGE_SIZE, i & 0xff);
    barrier(control, threads, thread);
    thread.munmap(slice, slicePages * PAGE_SIZE);
  }
  return iterations;
}

function mapRegion({ thread, fd, iterations, regionBytes }: LoopContext): number {
  const flags = fd < 0 ? ANONYMOUS : M.MAP_PRIVATE;
  for (let i = 0; i < iterations; i++) {
    const address = thread.mmap(0, regionBytes, flags, fd);
    thread.munmap(address, regionBytes);
  }
  return iterations;
}

function faultRegion(context: LoopContext, type: number): number {
  const { thread, fd, iterations, regionBytes } = context;
  for (let i = 0; i < iterations; i++) {
    const start = thread.mmap(0, regionBytes, fd < 0 ? ANONYMOUS : type, fd);
    for (let at = start; at < start + regionBytes; at += PAGE_SIZE) thread.store8(at, 0);
    thread.munmap(start, regionBytes);
  }
  return (iterations * regionBytes) / PAGE_SIZE;
}

function breaks({ thread, iterations }: LoopContext): number {
  const start = thread.brk(0);
  for (let i = 0; i < iterations; i++) {
    thread.brk(start + PAGE_SIZE);
    thread.brk(start);
  }
  return 2 * iterations;
}

/** glibc's malloc of so much is an mmap of a page more, and a header in the first page. */
function allocate({ thread, iterations, regionBytes }: LoopContext): number {
  const bytes = regionBytes + PAGE_SIZE;
  for (let i = 0; i < iterations; i++) {
    const address = thread.mmap(0, bytes, ANONYMOUS);
    thread.store8(address + 8, 2);
    thread.munmap(address, bytes);
  }
  return iterations;
}

/** What is discarded reads as before the first write; a shared file keeps what was written. */
function discard({ thread, fd, iterations }: LoopContext, bytes: number, flags: number): number {
  const kept = flags === M.MAP_SHARED ? 1 : 0;
  for (let i = 0; i < iterations; i++) {
    const start = thread.mmap(0, bytes, flags, fd);
    for (let at = start; at < start + bytes; at += PAGE_SIZE) {
      thread.store8(at, 1);
      thread.madvise(at, PAGE_SIZE, M.MADV_DONTNEED);
      const value = thread.load8(at);
      if (value !== kept) throw new Error(`discarded page at ${at}: ${value}, not ${kept}`);
    }
    thread.munmap(start, bytes);
  }
  return (iterations * bytes) / PAGE_SIZE;
}
