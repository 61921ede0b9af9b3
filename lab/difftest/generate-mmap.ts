/** Arguments of mmap: every kind of placement, type, protection and flag. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import type { Choices, Range, Theme } from './choices.ts';
import type { Arg } from './sequence.ts';

const RW: number = M.PROT_READ | M.PROT_WRITE;
const MAP_DROPPABLE = 8;
/** On both sides like a terminal: to read and to write, and not to map. */
const STDERR = 2;
/** No flag of any version. */
const UNKNOWN_FLAG = 0x400_0000;

type Source = 'anonymous' | 'file' | 'neither';

interface Type {
  readonly flags: number;
  readonly source: Source;
}

const ANONYMOUS_TYPES: readonly (readonly [Type, number])[] = [
  [{ flags: M.MAP_PRIVATE | M.MAP_ANONYMOUS, source: 'anonymous' }, 110],
  [{ flags: M.MAP_SHARED | M.MAP_ANONYMOUS, source: 'anonymous' }, 24],
  [{ flags: M.MAP_SHARED_VALIDATE | M.MAP_ANONYMOUS, source: 'anonymous' }, 1],
  [{ flags: M.MAP_ANONYMOUS, source: 'anonymous' }, 1],
  [{ flags: MAP_DROPPABLE | M.MAP_ANONYMOUS, source: 'anonymous' }, 1],
];

const FILE_TYPES: readonly (readonly [Type, number])[] = [
  [{ flags: M.MAP_PRIVATE, source: 'file' }, 30],
  [{ flags: M.MAP_SHARED, source: 'file' }, 30],
  [{ flags: M.MAP_SHARED_VALIDATE, source: 'file' }, 6],
  [{ flags: 0, source: 'file' }, 1],
  [{ flags: 5, source: 'file' }, 1],
];

/** Additional flags, and how rarely each is added. */
const EXTRAS: readonly (readonly [number, number, (keyof Theme)?])[] = [
  [M.MAP_POPULATE, 10],
  [M.MAP_NORESERVE, 14],
  [M.MAP_GROWSDOWN, 20],
  [M.MAP_STACK, 30],
  [M.MAP_LOCKED, 12, 'locks'],
  [M.MAP_32BIT, 14],
  [M.MAP_NONBLOCK, 60],
  [M.MAP_DENYWRITE, 80],
  [M.MAP_EXECUTABLE, 80],
  [M.MAP_SYNC, 100],
  [UNKNOWN_FLAG, 100],
  [M.MAP_HUGETLB, 60],
  [M.MAP_HUGETLB | M.MAP_HUGE_1GB, 200],
];

export function protection(choices: Choices): number {
  const prot = choices.weigh([
    [RW, 30],
    [M.PROT_READ, 10],
    [M.PROT_NONE, 8],
    [M.PROT_WRITE, 3],
    [M.PROT_EXEC, 2],
    [M.PROT_READ | M.PROT_EXEC, 3],
    [RW | M.PROT_EXEC, 3],
  ]);
  return choices.rarely(40) ? prot | choices.pick([M.PROT_SEM, 0x10, 0x100, 0x8000]) : prot;
}

export function generateMmap(choices: Choices, theme: Theme): Arg[] {
  const types = theme.files ? [...ANONYMOUS_TYPES, ...FILE_TYPES] : ANONYMOUS_TYPES;
  const type = choices.weigh(types);
  const place = placement(choices);
  let flags = type.flags | place.flags;
  for (const [flag, rarity, part] of EXTRAS) {
    if ((part === undefined || theme[part]) && choices.rarely(rarity)) flags |= flag;
  }
  const isHuge = (flags & M.MAP_HUGETLB) !== 0;
  // What is mapped where huge pages would go is lost even if they are refused.
  if (isHuge && (flags & M.MAP_FIXED) !== 0) {
    flags = (flags & ~M.MAP_FIXED) | M.MAP_FIXED_NOREPLACE;
  }
  const address = isHuge ? unalignedForHuge(place.address) : place.address;
  // The end of user space is a multiple of 2 MiB on one side only.
  const length = isHuge && typeof place.length !== 'number' ? PAGE_SIZE : place.length;
  if (choices.rarely(200)) flags += 2 ** 33;
  if (type.source === 'file' && choices.rarely(60)) {
    // No PROT_EXEC: whether it is allowed depends on how the terminal's file system is mounted.
    const prot = choices.pick([M.PROT_NONE, M.PROT_READ, RW]);
    return [address, length, prot, flags, STDERR, choices.random(3) * PAGE_SIZE];
  }
  const fd = type.source === 'file' ? choices.fd() : choices.rarely(30) ? 7 : -1;
  return [address, length, protection(choices), flags, fd, offset(choices, type)];
}

/** Only what is no multiple of 2 MiB on either side: the windows do not all begin at one. */
function unalignedForHuge(address: Arg): Arg {
  if (typeof address === 'number') return address;
  const isComparable = address.base === 'low' || address.base === 'high';
  return isComparable && address.plus > 0 ? address : { base: 'low', plus: PAGE_SIZE };
}

interface Placement {
  readonly address: Arg;
  readonly length: Arg;
  readonly flags: number;
}

function placement(choices: Choices): Placement {
  const range = choices.range();
  const address = choices.start(range);
  const length = choices.length(range);
  switch (choices.random(20)) {
    case 0:
      return refused(choices, range);
    case 1:
    case 2:
      return { address, length, flags: M.MAP_FIXED_NOREPLACE };
    case 3:
    case 4:
    case 5:
      return { address: hint(choices, range), length, flags: 0 };
    case 6:
    case 7:
    case 8:
    case 9:
      return { address: 0, length, flags: 0 };
    default:
      return { address, length, flags: M.MAP_FIXED };
  }
}

function hint(choices: Choices, range: Range): Arg {
  switch (choices.random(8)) {
    case 0:
      return choices.unaligned(range);
    case 1:
      return choices.pick<Arg>([1, 0xfff, 0x1000, 0x8000, { base: 'task', plus: 0 }]);
    default:
      return choices.start(range);
  }
}

/** Addresses and lengths that no kernel accepts. */
function refused(choices: Choices, range: Range): Placement {
  const flags = choices.pick([M.MAP_FIXED, M.MAP_FIXED_NOREPLACE, 0]);
  const address = choices.start(range);
  const absurd = choices.pick<Arg>([
    0,
    { base: 'task', plus: 0 },
    { base: 'task', plus: PAGE_SIZE },
    2 ** 63,
    2 ** 64 - PAGE_SIZE,
    2 ** 64 - PAGE_SIZE / 2,
  ]);
  switch (choices.random(4)) {
    case 0:
      return { address: choices.unaligned(range), length: choices.length(range), flags };
    case 1: {
      const beyond = choices.pick<Arg>([{ base: 'task', plus: 0 }, 2 ** 63, 2 ** 64 - PAGE_SIZE]);
      return { address: beyond, length: choices.length(range), flags };
    }
    default:
      return { address, length: absurd, flags };
  }
}

function offset(choices: Choices, { source }: Type): Arg {
  if (choices.rarely(30)) {
    // Nothing between the end of the simulator's files and the end of all numbers: the file system
    // decides how large a file may be.
    const last = 2 ** 63 - PAGE_SIZE;
    return choices.pick([1, 0x800, -PAGE_SIZE, 2 ** 64 - PAGE_SIZE, last, last]);
  }
  return source === 'file' || choices.rarely(10) ? choices.random(5) * PAGE_SIZE : 0;
}
