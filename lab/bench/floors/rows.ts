/**
 * The table of `faultline bench`: each row a figure, the floor that it is divided by, and the ratio
 * to reach. Both are computed from the figures of one repetition.
 */
import type { Figures } from './figures.ts';

/** Where figures come from: what has to be run for a row. */
export type Source =
  | 'host'
  | 'hits'
  | 'bulk'
  | 'local'
  | 'fork'
  | 'zeroed'
  | 'remote'
  | 'trap'
  | 'comlink'
  | 'pair'
  | 'areas'
  | 'life';

export interface Row {
  readonly name: string;
  readonly what: string;
  readonly floor: string;
  readonly unit: 'ns' | 'us' | 'ms' | '/us' | 'MiB' | '%' | 'KiB';
  /** The ratio to reach: at most this, or at least; null where there is none. */
  readonly target: number | null;
  readonly better: 'less' | 'more';
  readonly sources: readonly Source[];
  value(figures: Figures): number;
  floorOf(figures: Figures): number;
}

function at(figures: Figures, name: string): number {
  return figures[name] ?? NaN;
}

type Common = Pick<Row, 'name' | 'what' | 'floor' | 'target'>;

/** A figure over another one. */
function over(
  common: Common,
  sources: readonly Source[],
  figure: string,
  floor: string,
  rest: Partial<Row> = {},
): Row {
  return {
    unit: 'ns',
    better: 'less',
    sources,
    value: (figures) => at(figures, figure),
    floorOf: (figures) => at(figures, floor),
    ...common,
    ...rest,
  };
}

const raw = 'raw Int32Array';
const hit = (name: string, what: string, figure: string, target: number): Row =>
  over({ name, what, floor: raw, target }, ['hits'], figure, `${figure}Raw`);

const bulk = (name: string, figure: string, floor: string): Row =>
  over({ name, what: `${name} of 64 KiB`, floor, target: 1.1 }, ['bulk'], figure, `${figure}Raw`);

const scale = (name: string, figure: string): Row =>
  over(
    { name, what: `${name.slice(5)} among 100,000 areas`, floor: 'among 1,000', target: 2.5 },
    ['areas'],
    `area${figure}Many`,
    `area${figure}Few`,
  );

/** Beside a figure that is written down, not measured. */
const fixed = (
  common: Common & Pick<Row, 'unit'>,
  source: Source,
  figure: string,
  floor: number,
  perUnit: number = 1,
): Row =>
  over(common, [source], figure, '', {
    value: (figures) => at(figures, figure) / perUnit,
    floorOf: () => floor,
  });

const crate = (name: string, figure: string, floorUs: number, target: number | null = 1): Row =>
  fixed(
    {
      name,
      what: `${name.slice(6)} among 100,000`,
      floor: "the seeds' crate",
      unit: 'us',
      target,
    },
    'areas',
    `area${figure}Many`,
    floorUs,
    1000,
  );

const faults: readonly Row[] = [
  over(
    { name: 'fault', what: 'demand-zero fault, local, rcu', floor: "host's fault", target: 0.35 },
    ['host', 'local'],
    'fault',
    'hostFault',
  ),
  over(
    { name: 'fault-pool', what: 'the same, zeroed ahead', floor: "host's fault", target: 0.2 },
    ['host', 'zeroed'],
    'faultZeroed',
    'hostFault',
  ),
  over(
    { name: 'mmap-touch-munmap', what: 'a page, local', floor: "the host's", target: 0.35 },
    ['host', 'local'],
    'cycle',
    'hostCycle',
  ),
  over(
    { name: 'mmap-lazy', what: 'mmap of 1 GiB, untouched', floor: 'mmap of 4 KiB', target: 3 },
    ['local'],
    'mmapLazy',
    'mmapPage',
  ),
  over(
    { name: 'fork', what: 'of 64 MiB resident', floor: "the host's", target: 0.5 },
    ['host', 'fork'],
    'fork',
    'hostFork',
    { unit: 'us', value: (figures) => at(figures, 'fork') / 1000, floorOf: hostForkUs },
  ),
];

function hostForkUs(figures: Figures): number {
  return at(figures, 'hostFork') / 1000;
}

const accesses: readonly Row[] = [
  hit('load-sequential', 'load32, TLB hit, in order', 'loadSequential', 3),
  hit('store-sequential', 'store32, TLB hit, in order', 'storeSequential', 3),
  hit('load-64-pages', 'load32, from page to page of 64', 'loadPages', 3),
  hit('store-64-pages', 'store32, from page to page of 64', 'storePages', 3),
  hit('load-random', 'load32, random over 2,048 pages', 'loadRandom', 3.5),
  hit('store-random', 'store32, random over 2,048 pages', 'storeRandom', 3.5),
  bulk('read', 'bulkRead', 'TypedArray.set'),
  bulk('write', 'bulkWrite', 'TypedArray.set'),
  bulk('copy', 'bulkCopy', 'TypedArray.set'),
  bulk('fill', 'bulkFill', 'TypedArray.fill'),
];

const messages: readonly Row[] = [
  over(
    { name: 'trap', what: 'null system call by trap', floor: 'bare mailbox', target: 1.25 },
    ['trap'],
    'trap',
    'trapFloor',
  ),
  over(
    { name: 'fault-remote', what: 'less its core', floor: 'bare mailbox', target: 1.25 },
    ['trap', 'remote', 'local'],
    'faultRemote',
    'trapFloor',
    { value: (figures) => at(figures, 'faultRemote') - at(figures, 'fault') },
  ),
  over(
    { name: 'mmap-comlink', what: 'await proc.mmap', floor: 'comlink echo', target: 1.15 },
    ['comlink'],
    'comlinkMmap',
    'comlinkEcho',
  ),
  over(
    { name: 'shootdown', what: 'to one running CPU', floor: 'spinning ping-pong', target: 2 },
    ['pair'],
    'shootdown',
    'spinPing',
  ),
  over(
    { name: 'faults-2-cpus', what: 'disjoint pages, 2 CPUs', floor: '1 CPU', target: 1.8 },
    ['pair'],
    'faultsPerUs2',
    'faultsPerUs1',
    { unit: '/us', better: 'more' },
  ),
];

const areas: readonly Row[] = [
  scale('area-unmap', 'Unmap'),
  scale('area-protect', 'Protect'),
  scale('area-find', 'Find'),
  scale('area-gap-search', 'Gap'),
  crate('crate-protect', 'Protect', 199),
  crate('crate-unmap', 'Unmap', 304),
  crate('crate-gap-search', 'Gap', 246),
  crate('crate-find', 'Find', 0.036, null),
];

const life: readonly Row[] = [
  over(
    { name: 'boot', what: 'of a 64 MiB machine', floor: "an empty Worker's start", target: 10 },
    ['life'],
    'bootMs',
    'emptyWorkerMs',
    { unit: 'ms' },
  ),
  fixed(
    { name: 'processes', what: '1,000 empty, 2 Workers', floor: '1 s', target: 1, unit: 'ms' },
    'life',
    'processesMs',
    1000,
  ),
  fixed(
    { name: 'resident', what: '4 GiB machine, booted', floor: '100 MiB', target: 1, unit: 'MiB' },
    'life',
    'residentMiB',
    100,
  ),
  fixed(
    { name: 'metadata', what: 'of 64 MiB', floor: '1 %', target: 1, unit: '%' },
    'life',
    'metadataPercent',
    1,
  ),
  fixed(
    { name: 'library', what: 'gzipped, without the lab', floor: '40 KiB', target: 1, unit: 'KiB' },
    'life',
    'libraryKiB',
    40,
  ),
];

export const ROWS: readonly Row[] = [...faults, ...accesses, ...messages, ...areas, ...life];

/** Rows that are planned, and what they wait for. */
export const MISSING_ROWS: readonly { readonly name: string; readonly why: string }[] = [];
