/** Arguments of the calls on files and descriptors. */
import { FILE_BYTES_MAX, PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import type { CallKind, Choices } from './choices.ts';
import type { Arg } from './sequence.ts';

const NAMES = 3;

function filePlace(choices: Choices): number {
  return choices.random(8) * PAGE_SIZE + choices.pick([0, 0, 0, 1, 100, 0x800, 0xfff]);
}

function position(choices: Choices): number {
  const bytes = filePlace(choices);
  if (!choices.rarely(20)) return bytes;
  return choices.pick([-1, 2 ** 64 - PAGE_SIZE, 2 ** 40]);
}

function byteCount(choices: Choices): number {
  if (choices.rarely(20)) return choices.pick([0, 2 ** 64 - PAGE_SIZE]);
  return choices.pick([1, 8, 100, 512, PAGE_SIZE - 10, PAGE_SIZE]);
}

function transfer(choices: Choices): Arg[] {
  return [choices.fd(), choices.pointer(), byteCount(choices)];
}

function openFlags(choices: Choices): number {
  let flags = choices.weigh([
    [M.O_RDWR, 4],
    [M.O_RDONLY, 3],
    [M.O_WRONLY, 2],
    [3, 1],
  ]);
  if (!choices.rarely(3)) flags |= M.O_CREAT;
  if (choices.rarely(6)) flags |= M.O_EXCL;
  if (choices.rarely(6)) flags |= M.O_TRUNC;
  if (choices.rarely(6)) flags |= M.O_APPEND;
  if (choices.rarely(20)) flags |= M.O_PATH;
  // Linux leaves open what O_EXCL without O_CREAT means.
  return (flags & M.O_CREAT) === 0 ? flags & ~M.O_EXCL : flags;
}

const memfdFlags = (choices: Choices): number =>
  choices.weigh([
    [0, 3],
    [M.MFD_CLOEXEC, 2],
    [M.MFD_ALLOW_SEALING, 6],
    [M.MFD_ALLOW_SEALING | M.MFD_CLOEXEC, 2],
    [M.MFD_EXEC, 1],
    [M.MFD_NOEXEC_SEAL, 2],
    [M.MFD_NOEXEC_SEAL | M.MFD_EXEC, 1],
    [0x8000, 2],
  ]);

const SEALS: readonly (readonly [number, number])[] = [
  [M.F_SEAL_SHRINK, 4],
  [M.F_SEAL_GROW, 4],
  [M.F_SEAL_SHRINK | M.F_SEAL_GROW, 1],
  [M.F_SEAL_WRITE, 4],
  [M.F_SEAL_FUTURE_WRITE, 4],
  [M.F_SEAL_EXEC, 2],
  [M.F_SEAL_SEAL, 1],
  [0x40, 1],
  [0, 1],
];

function generateFcntl(choices: Choices): Arg[] {
  const fd = choices.fd();
  const command = choices.weigh([
    [M.F_ADD_SEALS, 8],
    [M.F_GET_SEALS, 5],
    [M.F_SETFD, 2],
    [M.F_GETFD, 3],
    [9999, 1],
  ]);
  if (command === M.F_ADD_SEALS) return [fd, choices.int(command), choices.weigh(SEALS)];
  return [fd, choices.int(command), choices.pick([0, 1, 2, 3])];
}

function generateFallocate(choices: Choices): Arg[] {
  const mode = choices.weigh([
    [0, 6],
    [M.FALLOC_FL_KEEP_SIZE, 4],
    [M.FALLOC_FL_PUNCH_HOLE | M.FALLOC_FL_KEEP_SIZE, 10],
    [M.FALLOC_FL_PUNCH_HOLE, 1],
    [M.FALLOC_FL_COLLAPSE_RANGE, 1],
    [M.FALLOC_FL_ZERO_RANGE, 1],
    [M.FALLOC_FL_INSERT_RANGE, 1],
    [M.FALLOC_FL_UNSHARE_RANGE, 1],
    [M.FALLOC_FL_WRITE_ZEROES, 1],
    [0x100, 1],
  ]);
  const offset = choices.rarely(20) ? choices.pick([-1, 2 ** 63 - PAGE_SIZE]) : filePlace(choices);
  // Either within a file of this machine's size, or beyond one of Linux's.
  const pages = offset > FILE_BYTES_MAX ? 1 : choices.random(5);
  const length = pages * PAGE_SIZE + choices.pick([0, 0, 1, 0x800]);
  return [choices.fd(), choices.int(mode), offset, choices.rarely(20) ? -1 : length];
}

export const FILE_CALLS: readonly CallKind[] = [
  {
    call: 'memfd_create',
    weight: 2,
    part: 'files',
    opens: true,
    generate: (choices) => [choices.random(NAMES), memfdFlags(choices)],
  },
  {
    call: 'open',
    weight: 4,
    part: 'files',
    opens: true,
    generate: (choices) => [choices.random(NAMES), openFlags(choices)],
  },
  {
    call: 'unlink',
    weight: 1,
    part: 'files',
    generate: (choices) => [choices.random(NAMES)],
  },
  { call: 'fcntl', weight: 7, part: 'files', generate: generateFcntl },
  { call: 'fallocate', weight: 7, part: 'files', generate: generateFallocate },
  {
    call: 'dup',
    weight: 1,
    part: 'files',
    opens: true,
    generate: (choices) => [choices.fd()],
  },
  { call: 'close', weight: 2, part: 'files', generate: (choices) => [choices.fd()] },
  {
    call: 'ftruncate',
    weight: 7,
    part: 'files',
    generate: (choices) => [choices.fd(), position(choices)],
  },
  {
    call: 'lseek',
    weight: 3,
    part: 'files',
    generate: (choices) => [choices.fd(), position(choices), choices.pick([0, 0, 1, 2, 3, 4, 9])],
  },
  { call: 'read', weight: 5, part: 'files', generate: transfer },
  { call: 'write', weight: 5, part: 'files', generate: transfer },
  {
    call: 'pread',
    weight: 4,
    part: 'files',
    generate: (choices) => [...transfer(choices), position(choices)],
  },
  {
    call: 'pwrite',
    weight: 6,
    part: 'files',
    generate: (choices) => [...transfer(choices), position(choices)],
  },
];
