/**
 * How loops map memory, and how much each figure measures. A round is long beside a look at the
 * clock, and short beside a time slice: on a busy host some rounds still have the CPU to
 * themselves.
 */
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../../workers/program.ts';

/** Protection and flags of whatever a loop maps. */
export const RW: number = PROT_READ | PROT_WRITE;
export const ANONYMOUS: number = MAP_PRIVATE | MAP_ANONYMOUS;

/** Rounds of which a repetition takes the fastest; one more comes first and is thrown away. */
export const ROUNDS = 15;
/** Pages of a round of faults: 4 MiB. */
export const FAULT_PAGES = 1024;
/**
 * The pause before a round of faults that find zeroed frames: several ticks of the kernel worker.
 */
export const PREZERO_PAUSE_MS = 30;
/** map, touch, unmap cycles of a round. */
export const CYCLES = 250;
/** Resident memory of the process that forks. */
export const FORK_BYTES: number = 64 * 2 ** 20;
/** Pages of the sequential loops, and of those that go from page to page. */
export const HIT_PAGES = 64;
/** Pages of the random accesses. */
export const RANDOM_PAGES = 2048;
/** Accesses of a round. */
export const ACCESSES: number = 2 ** 18;
/** Bytes of a bulk operation, and operations of a round. */
export const BULK_BYTES = 65536;
export const BULKS = 50;
/** mmaps of a round, unmapped after it. */
export const MMAPS = 64;
export const LAZY_BYTES: number = 2 ** 30;
/** Traps, round trips of a ping-pong, shootdowns, comlink calls of a round. */
export const TRAPS = 300;
export const REMOTE_FAULTS = 128;
export const SHOOTDOWNS = 300;
/** Threads that shootdowns wait for, one after the other. */
export const ANSWERERS = 4;
export const CALLS = 50;
/** Areas of the small and of the large set, and operations of a round. */
export const AREAS_FEW = 1000;
export const AREAS_MANY = 100_000;
export const AREA_OPERATIONS = 500;
/** Empty processes. */
export const PROCESSES = 1000;
/** Cycles of six calls, and accesses, of the recordings that are replayed. */
export const REPLAY_CYCLES = 10_000;
export const REPLAY_ACCESSES = 500_000;
