/** Arguments of the calls that change, inspect or use mappings. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { PR_SET_VMA, PR_SET_VMA_ANON_NAME } from '../../shared/abi/prctl.ts';
import { WRAPPING } from './choices.ts';
import type { CallKind, Choices, Range, Theme } from './choices.ts';
import { protection } from './generate-mmap.ts';
import { AREA_NAMES } from './prepared-memory.ts';
import type { Arg } from './sequence.ts';

const ADVICE: readonly (readonly [number, number])[] = [
  [M.MADV_DONTNEED, 12],
  [M.MADV_NORMAL, 2],
  [M.MADV_RANDOM, 3],
  [M.MADV_SEQUENTIAL, 3],
  [M.MADV_WILLNEED, 4],
  [M.MADV_FREE, 6],
  [M.MADV_REMOVE, 6],
  [M.MADV_DONTFORK, 4],
  [M.MADV_DOFORK, 4],
  [M.MADV_WIPEONFORK, 4],
  [M.MADV_KEEPONFORK, 4],
  [M.MADV_COLD, 2],
  [M.MADV_POPULATE_READ, 6],
  [M.MADV_POPULATE_WRITE, 6],
  [M.MADV_DONTNEED_LOCKED, 4],
  [M.MADV_GUARD_INSTALL, 8],
  [M.MADV_GUARD_REMOVE, 6],
  [M.MADV_HUGEPAGE, 1],
  [M.MADV_NOHUGEPAGE, 2],
  [7, 1],
  [99, 1],
  [-1, 1],
];

const ALL_LOCKS: number = M.MCL_CURRENT | M.MCL_FUTURE;
const BYTE = 256;
/** What a sequence begins with (script.ts). */
const MEMLOCK_HARD: number = 2 ** 23;

/** Address and length of a range, now and then a bad one. */
function rangeArgs(choices: Choices, range: Range = choices.range()): [Arg, Arg] {
  if (!choices.rarely(14)) return [choices.start(range), choices.length(range)];
  switch (choices.random(5)) {
    case 0:
      return [choices.unaligned(range), choices.pick([0, 1])];
    case 1:
      return [choices.start(range), 0];
    case 2:
      return [{ base: 'task', plus: choices.pick([0, PAGE_SIZE]) }, PAGE_SIZE];
    case 3:
      return [choices.pick([0, 0x1000]), choices.pick([PAGE_SIZE, 0])];
    default:
      return [choices.start(range), choices.pick(WRAPPING)];
  }
}

function generateMprotect(choices: Choices): Arg[] {
  let prot = protection(choices);
  if (choices.rarely(20)) prot |= M.PROT_GROWSDOWN;
  if (choices.rarely(60)) prot |= M.PROT_GROWSUP;
  return [...rangeArgs(choices), choices.long(prot)];
}

function generateMremap(choices: Choices, theme: Theme): Arg[] {
  const window = choices.pick(['low', 'low', 'low', 'high'] as const);
  const from = choices.range(window);
  const to = choices.range();
  let flags = choices.weigh([
    [0, 6],
    [M.MREMAP_MAYMOVE, 8],
    [M.MREMAP_MAYMOVE | M.MREMAP_FIXED, 7],
    [M.MREMAP_MAYMOVE | M.MREMAP_DONTUNMAP, 3],
    [M.MREMAP_MAYMOVE | M.MREMAP_DONTUNMAP | M.MREMAP_FIXED, 2],
    [M.MREMAP_FIXED, 1],
    [M.MREMAP_DONTUNMAP, 1],
    [8, 1],
  ]);
  // Linux 6.18 counts what is left behind as locked for ever, and nothing else here shows it.
  if (theme.locks && !theme.privileged) flags &= ~M.MREMAP_DONTUNMAP;
  const old = choices.rarely(12) ? choices.unaligned(from) : choices.start(from);
  const isSame = (flags & M.MREMAP_DONTUNMAP) !== 0 ? !choices.rarely(5) : choices.rarely(3);
  const isOdd = choices.rarely(12);
  const oldLength = isOdd ? choices.pick([0, 0, ...WRAPPING, -PAGE_SIZE]) : choices.length(from);
  const newLength = isSame
    ? isOdd
      ? oldLength
      : Math.min(oldLength, choices.length(to))
    : choices.rarely(16)
      ? choices.pick<Arg>([0, { base: 'task', plus: 0 }, ...WRAPPING])
      : choices.length(to);
  const target = choices.rarely(16)
    ? choices.pick([choices.unaligned(to), { base: 'task', plus: 0 } as const])
    : choices.start(to);
  return [old, isSame ? newLength : oldLength, newLength, choices.long(flags), target];
}

function generateSetrlimit(choices: Choices, { privileged, forks }: Theme): Arg[] {
  const more = PAGE_SIZE * (choices.random(12) - 1);
  const noLimit = -1;
  const [resource, soft] = choices.weigh<[number, Arg]>([
    // A child does not have all of its parent's areas: the runtime keeps some for itself.
    [[M.RLIMIT_AS, { base: 'as', plus: more }], forks ? 0 : 6],
    [[M.RLIMIT_DATA, { base: 'data', plus: more }], forks ? 0 : 6],
    [[M.RLIMIT_MEMLOCK, PAGE_SIZE * (1 + choices.random(12))], 6],
    [[M.RLIMIT_MEMLOCK, 0], 2],
    [[M.RLIMIT_STACK, PAGE_SIZE * (1 + choices.random(12))], 2],
    [[choices.pick([M.RLIMIT_AS, M.RLIMIT_DATA]), noLimit], 3],
    [[choices.pick([16, 99, -1]), 0], 1],
  ]);
  if (choices.rarely(8)) return [resource, choices.pick<Arg>([0, { base: 'task', plus: 0 }])];
  // A hard limit that a process without rights lowers is lowered for good: never done here.
  const isRaised = !privileged && choices.rarely(8);
  const hard = resource === M.RLIMIT_MEMLOCK && !isRaised ? MEMLOCK_HARD : noLimit;
  const isRefused = soft !== 0 && choices.rarely(20);
  return [resource, { base: 'scratch', plus: 0 }, soft, isRefused ? 0 : hard];
}

/** The same as setrlimit, at times for nobody; or a look at what the limits are. */
function generatePrlimit(choices: Choices, theme: Theme): Arg[] {
  const pid = choices.rarely(12) ? choices.pick([2 ** 30, -1]) : 0;
  if (choices.rarely(3)) {
    const resource = choices.pick([M.RLIMIT_STACK, M.RLIMIT_MEMLOCK, 99]);
    return [choices.int(pid), choices.int(resource), 0, choices.pointer()];
  }
  const [resource = 0, pointer = 0, ...limits] = generateSetrlimit(choices, theme);
  return [choices.int(pid), resource, pointer, 0, ...limits];
}

/** Where the names of areas are put. */
const NAME_AT: Arg = { base: 'scratch', plus: 1024 };

function generatePrctl(choices: Choices): Arg[] {
  const range = rangeArgs(choices);
  const head = [choices.int(PR_SET_VMA), PR_SET_VMA_ANON_NAME, ...range];
  if (choices.rarely(6)) return [...head, 0];
  if (choices.rarely(8)) return [...head, choices.pointer()];
  return [...head, NAME_AT, choices.random(choices.rarely(3) ? AREA_NAMES.length : 3)];
}

function generateBrk(choices: Choices): Arg[] {
  if (choices.rarely(8)) return [choices.pick([0, 1, 0x1000, 2 ** 64 - PAGE_SIZE])];
  const plus = choices.random(16) * PAGE_SIZE + choices.pick([0, 0, 1, 10, 0x800]);
  return [{ base: 'heap', plus }];
}

function generateLoad(choices: Choices): Arg[] {
  const { base, first } = choices.range();
  const plus = first * PAGE_SIZE + choices.pick([0, 0, 0, 8, 100, 0x7ff, 0xfff]);
  if (!choices.rarely(60)) return [{ base, plus }];
  return [choices.pick<Arg>([0, 0x1000, { base: 'task', plus: 0 }])];
}

function generateMseal(choices: Choices): Arg[] {
  return [...rangeArgs(choices, choices.range('low', 2)), choices.rarely(6) ? 1 : 0];
}

const lockFlags = (choices: Choices): number => choices.pick([0, 1, 1, 2, 4]);

const mlockallFlags = (choices: Choices, { privileged }: Theme): number =>
  choices.pick([
    M.MCL_FUTURE,
    M.MCL_FUTURE | M.MCL_ONFAULT,
    // As root it locks all memory of the process: too slow to do often.
    privileged && !choices.rarely(20) ? 0 : ALL_LOCKS,
    0,
    M.MCL_ONFAULT,
    8,
  ]);

export const MEMORY_CALLS: readonly CallKind[] = [
  { call: 'munmap', weight: 14, generate: (choices) => rangeArgs(choices) },
  { call: 'mprotect', weight: 16, generate: generateMprotect },
  { call: 'mremap', weight: 16, generate: generateMremap },
  { call: 'brk', weight: 20, part: 'heap', generate: generateBrk },
  {
    call: 'madvise',
    weight: 30,
    part: 'advice',
    generate: (choices) => [...rangeArgs(choices), choices.int(choices.weigh(ADVICE))],
  },
  {
    call: 'mincore',
    weight: 4,
    generate: (choices) => [...rangeArgs(choices), choices.pointer()],
  },
  {
    call: 'msync',
    weight: 5,
    generate: (choices) => [
      ...rangeArgs(choices),
      choices.int(choices.pick([0, 1, 2, 3, 4, 4, 5, 6, 8])),
    ],
  },
  { call: 'mlock', weight: 8, part: 'locks', generate: (choices) => rangeArgs(choices) },
  {
    call: 'mlock2',
    weight: 6,
    part: 'locks',
    generate: (choices) => [...rangeArgs(choices), choices.int(lockFlags(choices))],
  },
  { call: 'munlock', weight: 6, part: 'locks', generate: (choices) => rangeArgs(choices) },
  {
    call: 'mlockall',
    weight: 2,
    part: 'locks',
    generate: (choices, theme) => [choices.int(mlockallFlags(choices, theme))],
  },
  { call: 'munlockall', weight: 1, part: 'locks', generate: () => [] },
  { call: 'mseal', weight: 6, part: 'seals', generate: generateMseal },
  { call: 'setrlimit', weight: 16, part: 'limits', generate: generateSetrlimit },
  { call: 'prlimit', weight: 6, part: 'limits', generate: generatePrlimit },
  { call: 'prctl', weight: 8, part: 'names', generate: generatePrctl },
  {
    call: 'getrlimit',
    weight: 3,
    part: 'limits',
    generate: (choices) => [
      // Not those that are counted from what is in use: the numbers are each side's own.
      choices.pick([M.RLIMIT_STACK, M.RLIMIT_MEMLOCK, 99]),
      choices.pointer(),
    ],
  },
  { call: 'load', weight: 16, generate: generateLoad },
  {
    call: 'store',
    weight: 34,
    generate: (choices) => [...generateLoad(choices), 1 + choices.random(BYTE - 1)],
  },
];
