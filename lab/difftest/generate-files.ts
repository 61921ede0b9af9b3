/** Arguments of the calls on files and descriptors. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import type { CallKind, Choices } from './choices.ts';
import type { Arg } from './sequence.ts';

const NAMES = 3;

function position(choices: Choices): number {
  const bytes = choices.random(8) * PAGE_SIZE + choices.pick([0, 0, 0, 1, 100, 0x800, 0xfff]);
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

export const FILE_CALLS: readonly CallKind[] = [
  {
    call: 'memfd_create',
    weight: 2,
    part: 'files',
    opens: true,
    generate: (choices) => [
      choices.random(NAMES),
      choices.rarely(5) ? 0x8000 : choices.pick([0, 1]),
    ],
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
