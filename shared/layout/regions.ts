/**
 * Where everything lies in the machine's one SharedArrayBuffer: consecutive regions, described by
 * one table. The formatter, the audit, the names of words in stories, and the drawing in
 * docs/architecture.md are derived from it. Units: 32-bit words unless a name says otherwise.
 *
 * Processes, address spaces, areas, records, objects and page tables live in frames: bare metal
 * has no other memory. Such a block is named by the index of its first word in the buffer.
 */
import {
  AREA_NAME_SLOTS,
  DMESG_ENTRIES,
  FUTEX_BUCKETS,
  HISTOGRAMS_MAX,
  HISTOGRAM_BUCKETS,
  PROCESSES_MAX,
  TABLE_ENTRIES,
} from '../limits.ts';
import { assert } from '../panic.ts';
import type { Block } from './block.ts';
import * as BOOT from './boot.ts';
import * as CPU from './cpu.ts';
import * as FRAME from './frame.ts';
import * as FUTEX_QUEUE from './futex-queue.ts';
import * as LOG from './log.ts';
import * as RECORD from './record.ts';
import * as SWAP from './swap.ts';
import type { WordIndex } from '../units.ts';

/** What a machine's size depends on. */
export interface MachineSize {
  /** Frames, frame 0 included. */
  readonly frames: number;
  /** CPU blocks. */
  readonly cpus: number;
  /** Pages of the swap store. */
  readonly swapSlots: number;
}

/** Word offsets of the regions of a machine. */
export interface Regions {
  /** The boot block: BOOT of the layout. */
  readonly boot: WordIndex;
  /** The CPUs' blocks, one after the other: CPU. */
  readonly cpuBase: WordIndex;
  /** Frames of mapping records, by number. */
  readonly recordDir: WordIndex;
  /** Process blocks by pid. */
  readonly procTable: WordIndex;
  /** Buckets of futex waiters: FUTEX_QUEUE. */
  readonly futexQueues: WordIndex;
  /** Names of anonymous memory, in use or free. */
  readonly areaNames: WordIndex;
  /** Latency histograms of the syscalls. */
  readonly histograms: WordIndex;
  /** The kernel log's ring: LOG. */
  readonly dmesg: WordIndex;
  /** Slots of the swap store: SWAP. */
  readonly swapMap: WordIndex;
  /** The frames' metadata: FRAME. */
  readonly meta: WordIndex;
  /** The frames themselves. */
  readonly frameBase: WordIndex;
  /** Words of the whole machine. */
  readonly totalWords: number;
}

export interface Region {
  /** Its name in Regions. */
  readonly key: Exclude<keyof Regions, 'totalWords'>;
  /** For people: 'CPU blocks'. */
  readonly title: string;
  /** One of its items: 'cpu', 'pid slot'. */
  readonly item: string;
  /** Words of an item. */
  readonly words: number;
  /** The item's fields, when it has several. */
  readonly block: Block | null;
  /** How many items a machine has. */
  readonly count: (size: MachineSize) => number;
}

const blocks = (block: Block): Pick<Region, 'words' | 'block'> => ({ words: block.words, block });
const words = (count: number): Pick<Region, 'words' | 'block'> => ({ words: count, block: null });

/** In the order in which they lie. */
export const REGIONS: readonly Region[] = [
  { key: 'boot', title: 'boot block', item: 'boot', ...blocks(BOOT.LAYOUT), count: () => 1 },
  { key: 'cpuBase', title: 'CPU blocks', item: 'cpu', ...blocks(CPU.LAYOUT), count: cpus },
  {
    key: 'recordDir',
    title: 'record directory',
    item: 'record directory',
    ...words(1),
    count: () => RECORD.DIRECTORY_WORDS,
  },
  {
    key: 'procTable',
    title: 'pid table',
    item: 'pid slot',
    ...words(1),
    count: () => PROCESSES_MAX,
  },
  {
    key: 'futexQueues',
    title: 'futex queues',
    item: 'futex queue',
    ...blocks(FUTEX_QUEUE.LAYOUT),
    count: () => FUTEX_BUCKETS,
  },
  {
    key: 'areaNames',
    title: 'names of areas',
    item: 'name slot',
    ...words(1),
    count: () => AREA_NAME_SLOTS,
  },
  {
    key: 'histograms',
    title: 'latency histograms',
    item: 'histogram',
    ...words(HISTOGRAM_BUCKETS),
    count: () => HISTOGRAMS_MAX,
  },
  {
    key: 'dmesg',
    title: 'kernel log ring',
    item: 'log record',
    ...blocks(LOG.LAYOUT),
    count: () => DMESG_ENTRIES,
  },
  { key: 'swapMap', title: 'swap map', item: 'swap slot', ...blocks(SWAP.LAYOUT), count: slots },
  { key: 'meta', title: 'frame metadata', item: 'frame', ...blocks(FRAME.LAYOUT), count: frames },
  { key: 'frameBase', title: 'frames', item: 'frame', ...words(TABLE_ENTRIES), count: frames },
];

function cpus(size: MachineSize): number {
  return size.cpus;
}

function slots(size: MachineSize): number {
  return size.swapSlots;
}

function frames(size: MachineSize): number {
  return size.frames;
}

/**
 * Lays out a machine. Frames are aligned to 4 KiB; frame 0 is never handed out: it means "none".
 */
export function layOut(size: MachineSize): Regions {
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const region of REGIONS) {
    if (region.key === 'frameBase') at = Math.ceil(at / TABLE_ENTRIES) * TABLE_ENTRIES;
    offsets[region.key] = at;
    at += region.words * region.count(size);
  }
  return { ...(offsets as unknown as Regions), totalWords: at };
}

/** Which item of which region the word `at` belongs to, and which of its words. */
export function findWord(
  regions: Regions,
  at: WordIndex,
): { readonly region: Region; readonly index: number; readonly within: number } {
  let region = REGIONS[0] as Region;
  for (const next of REGIONS) {
    if (at < regions[next.key]) break;
    region = next;
  }
  const offset = at - regions[region.key];
  return { region, index: Math.floor(offset / region.words), within: offset % region.words };
}

assert(REGIONS[0]?.key === 'boot', 'layout: the boot block comes first');
assert(REGIONS.at(-1)?.key === 'frameBase', 'layout: the frames come last');
