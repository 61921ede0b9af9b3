/**
 * CortenMM's microbenchmarks: one run is 32 requests of each thread in a fresh address space, each
 * request timed by itself.
 */
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { MAP_FIXED } from '../../../shared/abi/mman.ts';
import { placementOf } from './benchmarks.ts';
import type { Contention, CortenBenchmark } from './benchmarks.ts';
import { REQUESTS, requestOffsets, stridePages } from './offsets.ts';
import { ANONYMOUS } from './thread.ts';
import type { BenchThread } from './thread.ts';

/** Where mappings with fixed addresses lie: as in the paper, and aligned to a span. */
export const BASE = 0x100000000;

/** Addresses of all requests of all threads, or null when the kernel chooses them. */
export function requestAddresses(
  benchmark: CortenBenchmark,
  contention: Contention,
  threads: number,
  doubled: boolean,
): readonly number[] | null {
  const place = placementOf(benchmark, contention, doubled);
  if (place === null) return null;
  const offsets = requestOffsets(place, threads, contention === 'high');
  return offsets.map((pages) => BASE + pages * PAGE_SIZE);
}

/** What the main thread does in the fresh space before the threads start. */
export function prepareRun(
  main: BenchThread,
  benchmark: CortenBenchmark,
  contention: Contention,
  threads: number,
  doubled: boolean,
): void {
  const place = placementOf(benchmark, contention, doubled);
  if (benchmark.prepare === 'nothing' || place === null) return;
  main.enter();
  // The published programs map this much, which is 32 times what they use.
  const size = REQUESTS * threads * stridePages(place) * PAGE_SIZE;
  main.mmap(BASE, size, ANONYMOUS | MAP_FIXED);
  if (benchmark.prepare === 'touched') {
    const addresses = requestAddresses(benchmark, contention, threads, doubled) ?? [];
    for (const address of addresses) main.store8(address, 1);
  }
  main.leave();
}

/** One thread's part of a run. Adds each request's nanoseconds to `latencyNs`. */
export function runRequests(
  thread: BenchThread,
  benchmark: CortenBenchmark,
  addresses: readonly number[] | null,
  latencyNs: Float64Array,
): void {
  const { request } = benchmark;
  const size = benchmark.requestPages * PAGE_SIZE;
  const flags = addresses === null ? ANONYMOUS : ANONYMOUS | MAP_FIXED;
  for (let i = 0; i < REQUESTS; i++) {
    const address = addresses === null ? 0 : (addresses[i] as number);
    const startMs = performance.now();
    switch (request) {
      case 'mmap':
        thread.mmap(address, size, flags);
        break;
      case 'mmap-touch':
        thread.store8(thread.mmap(address, size, flags), 1);
        break;
      case 'touch':
        thread.store8(address, 1);
        break;
      case 'munmap':
        thread.munmap(address, size);
        break;
    }
    latencyNs[i] = (latencyNs[i] as number) + (performance.now() - startMs) * 1e6;
  }
}
