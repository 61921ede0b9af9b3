/**
 * The table of `faultline bench`: the operations that matter most, each figure divided by its
 * floor.
 */
import type { Unit } from '../row.ts';
import type { AreaOperations } from './area-loops.ts';
import type { Cost } from './machine-costs.ts';
import { rowOf } from './machine-row.ts';
import type { MachineRow, Measurement } from './machine-row.ts';
import type { Access, BulkFigures } from './memory-loops.ts';
import type { ReplayFigures } from './replay-loops.ts';
import type { SourceName } from './sources.ts';

/** `target`: the ratio to reach, null for none. */
function row<Name extends SourceName>(
  name: string,
  what: string,
  floor: string,
  target: number | null,
  measurement: Measurement<Name>,
): MachineRow {
  return rowOf({ suite: 'floors', name, what, floor, target }, measurement);
}

const hit = (name: string, what: string, access: Access, target: number): MachineRow =>
  row(name, what, 'raw Int32Array', target, {
    sources: ['hits'],
    value: ({ hits }) => hits[access].ns,
    floorOf: ({ hits }) => hits[access].rawNs,
  });

const bulk = (name: keyof BulkFigures, floor: string): MachineRow =>
  row(name, `${name} of 64 KiB`, floor, 1.1, {
    sources: ['bulk'],
    value: (figures) => figures.bulk[name].ns,
    floorOf: (figures) => figures.bulk[name].rawNs,
  });

const scale = (name: string, operation: keyof AreaOperations): MachineRow =>
  row(name, `${name.slice(5)} among 100,000 areas`, 'among 1,000', 2.5, {
    sources: ['areas'],
    value: ({ areas }) => areas.many[operation],
    floorOf: ({ areas }) => areas.few[operation],
  });

const crate = (
  name: string,
  operation: keyof AreaOperations,
  floorUs: number,
  target: number | null,
): MachineRow =>
  row(name, `${name.slice(6)} among 100,000`, "ArceOS's Rust crate memory_set", target, {
    sources: ['areas'],
    unit: 'us',
    value: ({ areas }) => areas.many[operation] / 1000,
    floorOf: () => floorUs,
  });

/** For a figure that is a constant, not measured. */
const cost = (
  name: string,
  what: string,
  key: Cost,
  [floor, unit, text]: readonly [number, Unit, string],
): MachineRow =>
  row(name, what, text, 1, {
    sources: ['machine'],
    unit,
    value: ({ machine }) => machine[key],
    floorOf: () => floor,
  });

/** For a rate that is a constant. */
const replayed = (
  name: string,
  what: string,
  key: keyof ReplayFigures,
  [perSecond, text]: readonly [number, string],
): MachineRow =>
  row(name, what, text, 1, {
    sources: ['replay'],
    value: ({ replay }) => replay[key],
    floorOf: () => 1e9 / perSecond,
  });

export const FLOOR_ROWS: readonly MachineRow[] = [
  row('fault', 'demand-zero fault, local, rcu', "host's fault", 0.35, {
    sources: ['host', 'local'],
    value: ({ local }) => local.fault,
    floorOf: ({ host }) => host.fault,
  }),
  row('fault-pool', 'the same, zeroed ahead', "host's fault", 0.2, {
    sources: ['host', 'zeroed'],
    value: ({ zeroed }) => zeroed,
    floorOf: ({ host }) => host.fault,
  }),
  row('mmap-touch-munmap', 'a page, local', "the host's", 0.35, {
    sources: ['host', 'local'],
    value: ({ local }) => local.cycle,
    floorOf: ({ host }) => host.cycle,
  }),
  row('mmap-lazy', 'mmap of 1 GiB, untouched', 'mmap of 4 KiB', 3, {
    sources: ['local'],
    value: ({ local }) => local.mmapLazy,
    floorOf: ({ local }) => local.mmapPage,
  }),
  row('fork', 'of 64 MiB resident', "the host's", 0.5, {
    sources: ['host', 'fork'],
    unit: 'us',
    value: ({ fork }) => fork / 1000,
    floorOf: ({ host }) => host.fork / 1000,
  }),
  hit('load-sequential', 'load32, TLB hit, in order', 'loadSequential', 3),
  hit('store-sequential', 'store32, TLB hit, in order', 'storeSequential', 3),
  hit('load-64-pages', 'load32, from page to page of 64', 'loadPages', 3),
  hit('store-64-pages', 'store32, from page to page of 64', 'storePages', 3),
  hit('load-random', 'load32, random over 2,048 pages', 'loadRandom', 3.5),
  hit('store-random', 'store32, random over 2,048 pages', 'storeRandom', 3.5),
  bulk('read', 'TypedArray.set'),
  bulk('write', 'TypedArray.set'),
  bulk('pinned', 'TypedArray.set'),
  bulk('copy', 'TypedArray.set'),
  bulk('fill', 'TypedArray.fill'),
  row('trap', 'null system call by trap', 'bare mailbox', 1.25, {
    sources: ['trap'],
    value: ({ trap }) => trap.call,
    floorOf: ({ trap }) => trap.bare,
  }),
  row('fault-remote', 'less its core', 'bare mailbox', 1.25, {
    sources: ['trap', 'remote', 'local'],
    value: ({ remote, local }) => remote - local.fault,
    floorOf: ({ trap }) => trap.bare,
  }),
  row('mmap-comlink', 'await proc.mmap', 'comlink echo', 1.15, {
    sources: ['comlink'],
    value: ({ comlink }) => comlink.call,
    floorOf: ({ comlink }) => comlink.bare,
  }),
  row('shootdown', 'to one running CPU', 'spinning ping-pong', 2, {
    sources: ['shootdown'],
    value: ({ shootdown }) => shootdown.shootdown,
    floorOf: ({ shootdown }) => shootdown.ping,
  }),
  row('faults-2-cpus', 'disjoint pages, 2 CPUs', '1 CPU', 1.8, {
    sources: ['scaling'],
    unit: '/us',
    better: 'more',
    value: ({ scaling }) => scaling.two,
    floorOf: ({ scaling }) => scaling.one,
  }),
  scale('area-unmap', 'unmap'),
  scale('area-protect', 'protect'),
  scale('area-find', 'find'),
  scale('area-gap-search', 'gap'),
  crate('crate-protect', 'protect', 199, 1),
  crate('crate-unmap', 'unmap', 304, 1),
  crate('crate-gap-search', 'gap', 246, 1),
  crate('crate-find', 'find', 0.036, null),
  replayed('replay-call', 'a line of strace, replayed', 'call', [300_000, '300,000/s']),
  replayed('replay-access', 'an access of lackey, replayed', 'access', [1e7, '10 million/s']),
  row('boot', 'of a 64 MiB machine', "an empty Worker's start", 10, {
    sources: ['machine'],
    unit: 'ms',
    value: ({ machine }) => machine.bootMs,
    floorOf: ({ machine }) => machine.emptyWorkerMs,
  }),
  cost('processes', '1,000 empty, 2 Workers', 'processesMs', [1000, 'ms', '1 s']),
  cost('resident', '4 GiB machine, booted', 'residentMiB', [100, 'MiB', '100 MiB']),
  cost('metadata', 'of 64 MiB', 'metadataPercent', [1, '%', '1 %']),
  cost('library', 'gzipped, without the lab', 'libraryKiB', [40, 'KiB', '40 KiB']),
];
