/** The JavaScript heap of a thread of Node, as the platform adapter offers it. */
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { resourceLimits } from 'node:worker_threads';
import { collectGarbage } from './collect-node.ts';
import type { HeapGauge } from './platform.ts';

/** V8's default: three semispaces of 16 MiB. */
const YOUNG_MB = 48;
const MB = 2 ** 20;

/** Heap spaces that the limit of the old generation does not count. */
const youngSpaces = new Set(['new_space', 'new_large_object_space', 'read_only_space']);

function limitBytes(): number {
  // What `resourceLimits` says of the old generation ignores --max-old-space-size.
  const young = resourceLimits.maxYoungGenerationSizeMb ?? YOUNG_MB;
  return getHeapStatistics().heap_size_limit - young * MB;
}

function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => !youngSpaces.has(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

export const heapGauge: HeapGauge = {
  limitBytes: limitBytes(),
  usedBytes: () => getHeapStatistics().used_heap_size,
  oldBytes,
  collect: collectGarbage,
};
