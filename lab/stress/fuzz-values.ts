/**
 * Arguments of a fuzz: by the parameter's name mostly ones that a syscall can do something with,
 * otherwise boundaries, 64-bit values, values that are no integers, and values of wrong types.
 */
import {
  FALLOC_FL_PUNCH_HOLE,
  F_ADD_SEALS,
  F_GETFD,
  F_GET_SEALS,
  F_SETFD,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  RLIMIT_AS,
  RLIMIT_DATA,
  RLIMIT_MEMLOCK,
  RLIMIT_STACK,
} from '../../shared/abi/mman.ts';
import {
  FDS_MAX,
  MMAP_MIN_ADDR,
  MMAP_TOP,
  PAGE_SIZE,
  USER_SPACE_END,
} from '../../shared/limits.ts';

export type Random = (bound: number) => number;

/** What a program has got so far. */
export interface Known {
  readonly addresses: number[];
  readonly fds: number[];
  readonly pids: number[];
}

/** The message of what an argument throws when it is converted. */
export const THROWN = 'thrown by an argument';

const PAGES = 16;
/** One argument in this many is a bad one. */
const BAD_EVERY = 8;

/** Numbers where checks, types or tables end. */
const BOUNDARIES: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, -1.5, NaN, Infinity, -Infinity, 1e300, 5e-324],
  ...[MMAP_MIN_ADDR - PAGE_SIZE, MMAP_MIN_ADDR, MMAP_TOP, USER_SPACE_END - PAGE_SIZE],
  ...[USER_SPACE_END - 1, USER_SPACE_END, USER_SPACE_END + PAGE_SIZE],
  ...[PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 2 ** 21, 2 ** 22 - PAGE_SIZE, 2 ** 22, 2 ** 32],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 47, 2 ** 52, Number.MAX_SAFE_INTEGER],
  ...[2 ** 53, 2 ** 63, -(2 ** 63), 2 ** 64 - PAGE_SIZE, 2 ** 64, FDS_MAX - 1, FDS_MAX],
];

const WRONG_TYPES: readonly unknown[] = [
  ...[undefined, null, '', '4096', true, {}, [], [1], 10n, 2n ** 64n, Symbol('s'), () => 1],
  new Date(0),
  new Uint8Array(8),
  {
    valueOf: () => {
      throw new Error(THROWN);
    },
  },
];

const MMAP_BITS: readonly number[] = [
  ...[MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, MAP_LOCKED, MAP_NORESERVE],
  MAP_POPULATE,
];

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[random(values.length)] as Value;
}

function someAddress(random: Random, { addresses }: Known): number {
  const address = pick(random, addresses) + random(PAGES) * PAGE_SIZE;
  return random(8) === 0 ? address + random(PAGE_SIZE) : address;
}

function someBytes(random: Random): number {
  const bytes = random(6) === 0 ? random(8) * 2 ** 21 : (1 + random(PAGES)) * PAGE_SIZE;
  return random(8) === 0 ? bytes - random(PAGE_SIZE) : bytes;
}

function mmapFlags(random: Random): number {
  const bits = MMAP_BITS.filter(() => random(4) === 0);
  const base = (1 + random(2)) | (random(4) === 0 ? 0 : MAP_ANONYMOUS);
  return bits.reduce((flags, bit) => flags | bit, base);
}

/** By parameter, of the one syscall where it differs. */
const GOOD: Readonly<Record<string, (random: Random, known: Known) => number>> = {
  'mmap.flags': mmapFlags,
  'madvise.advice': (random) => (random(5) === 0 ? 100 + random(4) : random(26)),
  'prctl.option': (random) => pick(random, [0x53564d41, 35]),
  'prctl.arg2': (random) => random(14),
  'prctl.arg4': someBytes,
  'archPrctl.code': () => 0x2003,
  'fcntl.command': (random) => pick(random, [F_GETFD, F_SETFD, F_ADD_SEALS, F_GET_SEALS]),
  'fcntl.argument': (random) => random(64),
  'fallocate.mode': (random) => pick(random, [0, 1, FALLOC_FL_PUNCH_HOLE | 1, random(128)]),
  fd: (random, { fds }) => pick(random, [-1, ...fds]),
  offset: (random) => random(PAGES) * PAGE_SIZE,
  prot: (random) => random(8),
  resource: (random) => pick(random, [RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK]),
  pid: (random, { pids }) => pick(random, [0, ...pids]),
  who: (random, { pids }) => pick(random, [0, ...pids]),
  nice: (random) => random(45) - 22,
  timeout: (random) => random(4),
};

/** An argument for the parameter `name` of `method`. */
export function argument(random: Random, known: Known, method: string, name: string): unknown {
  if (random(BAD_EVERY) === 0) return badArgument(random);
  const good = GOOD[`${method}.${name}`] ?? GOOD[name];
  if (good !== undefined) return good(random, known);
  if (/address|vec|limit|arg3|arg5/i.test(name)) return someAddress(random, known);
  if (/length/i.test(name)) return someBytes(random);
  return random(8);
}

/** Names of files that programs make when a bad argument is a name. */
export function badNames(): string[] {
  return [...BOUNDARIES, ...WRONG_TYPES].filter((value) => !isThrower(value)).map(String);
}

function isThrower(value: unknown): boolean {
  return typeof value === 'object' && value?.constructor === Object;
}

export function badArgument(random: Random): unknown {
  return random(3) === 0 ? pick(random, WRONG_TYPES) : pick(random, BOUNDARIES);
}

/** A number or, seldom, something else, for an access to memory. */
export function accessAddress(random: Random, known: Known): unknown {
  return random(6) === 0 ? badArgument(random) : someAddress(random, known) + random(16);
}
