/** How much each figure measures: enough that one look at the clock and one interrupt vanish. */

/** Rounds of which a repetition takes the median; one more comes first and is thrown away. */
export const ROUNDS = 5;
/** Pages of a round of faults: 16 MiB. */
export const FAULT_PAGES = 4096;
/** map, touch, unmap cycles of a round. */
export const CYCLES = 2000;
/** Resident memory of the process that forks. */
export const FORK_BYTES: number = 64 * 2 ** 20;
/** Pages of the sequential loops, and of those that go from page to page. */
export const HIT_PAGES = 64;
/** Pages of the random accesses. */
export const RANDOM_PAGES = 2048;
/** Accesses of a round. */
export const ACCESSES: number = 2 ** 20;
/** Bytes of a bulk operation, and operations of a round. */
export const BULK_BYTES = 65536;
export const BULKS = 100;
/** mmaps of a round, unmapped after it. */
export const MMAPS = 64;
export const LAZY_BYTES: number = 2 ** 30;
/** Traps, round trips of a ping-pong, shootdowns, comlink calls of a round. */
export const TRAPS = 2000;
export const REMOTE_FAULTS = 512;
export const SHOOTDOWNS = 2000;
export const CALLS = 200;
/** Areas of the small and of the large set, and operations of a round. */
export const AREAS_FEW = 1000;
export const AREAS_MANY = 100_000;
export const AREA_OPERATIONS = 200;
/** Empty processes. */
export const PROCESSES = 1000;
