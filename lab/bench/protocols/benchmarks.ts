/**
 * The published microbenchmarks, as data: what each prepares, what one operation is, and where it
 * is done.
 *
 * Sources: CortenMM (SOSP'25) test/src/apps/scale, RadixVM (EuroSys'13) mapbench, will-it-scale.
 * What is missing needs system calls that this machine does not have: see MISSING.
 */
import type { Placement } from './offsets.ts';

export type ProtocolSuite = 'cortenmm' | 'radixvm' | 'will-it-scale';
export type Contention = 'low' | 'high' | 'none';

/** What a CortenMM run finds when its threads start. */
export type Preparation = 'nothing' | 'mapped' | 'touched';
export type CortenRequest = 'mmap' | 'mmap-touch' | 'touch' | 'munmap';

export interface CortenBenchmark {
  readonly suite: 'cortenmm';
  readonly name: string;
  readonly prepare: Preparation;
  readonly request: CortenRequest;
  readonly requestPages: number;
  /** null: the kernel chooses the address. */
  readonly low: Placement | null;
  readonly high: Placement;
  readonly summary: string;
}

export interface LoopBenchmark {
  readonly suite: 'radixvm' | 'will-it-scale';
  readonly name: LoopName;
  /** Iterations of each CPU in one repetition, unless --iterations says otherwise. */
  readonly iterations: number;
  /** Whether each thread maps a file of its own, of the size of its region. */
  readonly file: boolean;
  readonly summary: string;
}

export type LoopName =
  | 'local'
  | 'pipeline'
  | 'global'
  | 'global-fixed'
  | `mmap${1 | 2}`
  | `page_fault${1 | 2 | 3}`
  | 'brk1'
  | 'malloc1'
  | `tlb_flush${1 | 2 | 3}`;

export type Benchmark = CortenBenchmark | LoopBenchmark;

const at = (requestPages: number, padPages: number): Placement => ({ requestPages, padPages });

const corten = (
  name: string,
  [prepare, request]: readonly [Preparation, CortenRequest],
  [low, high]: readonly [Placement | null, Placement],
  summary: string,
): CortenBenchmark => {
  const { requestPages } = high;
  return { suite: 'cortenmm', name, prepare, request, requestPages, low, high, summary };
};

const cortenmm: readonly CortenBenchmark[] = [
  corten(
    'mmap',
    ['nothing', 'mmap'],
    [null, at(4, 384)],
    'mmap of 4 pages; low: anywhere, high: MAP_FIXED, shuffled among threads',
  ),
  corten(
    'mmap-PF',
    ['nothing', 'mmap-touch'],
    [null, at(1, 480)],
    'mmap of a page and a write to it; low: anywhere, high: MAP_FIXED, shuffled',
  ),
  corten(
    'PF',
    ['mapped', 'touch'],
    [at(1, 480), at(1, 480)],
    'a write to an untouched page of one big mapping; high: shuffled',
  ),
  corten(
    'unmap-virt',
    ['mapped', 'munmap'],
    [at(1, 736), at(1, 480)],
    'munmap of an untouched page of one big mapping; high: shuffled',
  ),
  corten(
    'unmap',
    ['touched', 'munmap'],
    [at(1, 736), at(1, 480)],
    'munmap of a page that the main thread had touched; high: shuffled',
  ),
];

const loop = (
  suite: LoopBenchmark['suite'],
  name: LoopName,
  iterations: number,
  summary: string,
  file = false,
): LoopBenchmark => ({ suite, name, iterations, file, summary });

const radixvm: readonly LoopBenchmark[] = [
  loop('radixvm', 'local', 10_000, 'mmap a page of its own, touch it, munmap it'),
  loop('radixvm', 'pipeline', 1000, 'mmap, touch, pass on; the next CPU touches and munmaps'),
  loop(
    'radixvm',
    'global',
    50,
    'map 16 pages each, touch all pages of all in random order, munmap',
  ),
  loop('radixvm', 'global-fixed', 2, 'as global, with 64 × 80 pages shared out among the CPUs'),
];

const willItScale: readonly LoopBenchmark[] = [
  loop('will-it-scale', 'mmap1', 5000, 'mmap a private anonymous region, munmap it'),
  loop('will-it-scale', 'mmap2', 2000, 'mmap a private file region, munmap it', true),
  loop('will-it-scale', 'page_fault1', 1, 'write each page of a private anonymous region, munmap'),
  loop('will-it-scale', 'page_fault2', 1, 'write each page of a private file region, munmap', true),
  loop('will-it-scale', 'page_fault3', 1, 'write each page of a shared file region, munmap', true),
  loop('will-it-scale', 'brk1', 5000, 'brk a page up, and down again'),
  loop('will-it-scale', 'malloc1', 2000, 'malloc and free a region, as glibc does: mmap, munmap'),
  loop('will-it-scale', 'tlb_flush1', 1, 'write, discard, read pages of a private file', true),
  loop('will-it-scale', 'tlb_flush2', 20, 'write, discard, read private anonymous pages, 1 MiB'),
  loop('will-it-scale', 'tlb_flush3', 1, 'write, discard, read pages of a shared file', true),
];

export const BENCHMARKS: readonly Benchmark[] = [...cortenmm, ...radixvm, ...willItScale];

export const PROTOCOL_SUITES: readonly ProtocolSuite[] = ['cortenmm', 'radixvm', 'will-it-scale'];

/** Published benchmarks that cannot run here, and why. */
export const MISSING: readonly { readonly names: string; readonly why: string }[] = [
  { names: 'will-it-scale malloc2', why: 'it does not enter the kernel' },
  { names: 'will-it-scale fallocate1, 2', why: 'there is no fallocate' },
  { names: 'cortenmm mem_usage', why: 'it measures memory, not time' },
];

/** Pages of a CPU's slice in `global` (64 KiB in the paper) and of the table in `global-fixed`. */
export const GLOBAL_SLICE_PAGES = 16;
export const GLOBAL_FIXED_PAGES: number = 64 * 80;

/** The contentions that a benchmark knows. */
export function contentionsOf(benchmark: Benchmark): readonly Contention[] {
  return benchmark.suite === 'cortenmm' ? ['low', 'high'] : ['none'];
}

/**
 * Where requests go. `doubled` doubles strides: tables here have 1024 entries, the paper's 512, so
 * that only doubled strides keep threads apart that the paper's keep apart.
 */
export function placementOf(
  benchmark: CortenBenchmark,
  contention: Contention,
  doubled: boolean,
): Placement | null {
  const place = contention === 'high' ? benchmark.high : benchmark.low;
  if (place === null || !doubled) return place;
  const { requestPages, padPages } = place;
  return { requestPages, padPages: requestPages + 2 * padPages };
}
