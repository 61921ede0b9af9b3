/**
 * The operations that are combined in pairs: what programs and the kernel do with a range of pages.
 * Each is made for a place, so that two of them overlap.
 */
import * as M from '../../../../shared/abi/mman.ts';
import * as S from '../../../../shared/abi/syscall-numbers.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import { ANON, BASE, RW } from '../kit.ts';
import type { Operation } from '../kit.ts';
import { pagesText } from '../operation-names.ts';
import { reap } from '../operations.ts';
import { punch, truncate, writeBack } from '../scenarios/files.ts';
import { fork } from '../scenarios/forks.ts';
import { age, evict, reclaim, writeOut } from '../scenarios/swaps.ts';
import { read, write } from '../user.ts';
import { call } from './call.ts';
import { copyByteFrom, copyByteTo } from './copies.ts';

/** A range of pages, counted from BASE, and the page of it that both of a pair use. */
export interface Place {
  readonly page: number;
  readonly pages: number;
  readonly common: number;
}

/** An operation of the surface, for every place. */
export interface Action {
  readonly name: string;
  /** Only where a file is mapped. */
  readonly needsFile?: boolean;
  /** Only the kernel worker does it, so two of these are never under way at once. */
  readonly isKernelWorkers?: boolean;
  /** Made for CPU `id`. */
  at(place: Place, id: number): readonly Operation[];
}

/** Pages far above every place: where moved memory goes to, by CPU. */
const ELSEWHERE = 3072;
const ELSEWHERE_STEP = 1024;
/** The descriptor of the states' file: the first that is given out. */
const FD = 3;

/** A syscall on {address, length, …}. */
function range(name: string, number: number, ...more: readonly number[]): Action {
  return {
    name,
    at({ page, pages }: Place): readonly Operation[] {
      const args = [BASE + page * PAGE_SIZE, pages * PAGE_SIZE, ...more];
      return [call(`${name} ${pagesText(page, pages)}`, number, args)];
    },
  };
}

/** mremap to a place of the CPU's own, or where it is. */
function remap(name: string, flags: number, extraPages: number): Action {
  return {
    name,
    at({ page, pages }: Place, id: number): readonly Operation[] {
      const to = BASE + (ELSEWHERE + id * ELSEWHERE_STEP) * PAGE_SIZE;
      const sizes = [pages * PAGE_SIZE, (pages + extraPages) * PAGE_SIZE];
      const args = [BASE + page * PAGE_SIZE, ...sizes, flags, to];
      return [call(`${name} ${pagesText(page, pages)}`, S.SYS_MREMAP, args)];
    },
  };
}

function kernelWorkers(name: string, at: Action['at']): Action {
  return { name, isKernelWorkers: true, at };
}

function withFile(name: string, at: Action['at']): Action {
  return { ...kernelWorkers(name, at), needsFile: true };
}

const MOVE = M.MREMAP_MAYMOVE | M.MREMAP_FIXED;

/** Everything that one CPU can do to a range while another does something else to it. */
export const SURFACE: readonly Action[] = [
  { name: 'load', at: ({ common }) => [read(common)] },
  { name: 'store', at: ({ common }, id) => [write(common, 7 + id), read(common)] },
  range('mmap', S.SYS_MMAP, RW, ANON, -1, 0),
  range('mmap-noreplace', S.SYS_MMAP, RW, ANON | M.MAP_FIXED_NOREPLACE, -1, 0),
  range('munmap', S.SYS_MUNMAP),
  range('protect-none', S.SYS_MPROTECT, M.PROT_NONE),
  range('protect-read', S.SYS_MPROTECT, M.PROT_READ),
  range('protect-write', S.SYS_MPROTECT, RW),
  remap('move', MOVE, 0),
  remap('move-keep', MOVE | M.MREMAP_DONTUNMAP, 0),
  remap('move-grow', MOVE, 1),
  remap('shrink', 0, -1),
  remap('grow', 0, 1),
  range('dontneed', S.SYS_MADVISE, M.MADV_DONTNEED),
  range('free', S.SYS_MADVISE, M.MADV_FREE),
  range('cold', S.SYS_MADVISE, M.MADV_COLD),
  range('pageout', S.SYS_MADVISE, M.MADV_PAGEOUT),
  range('willneed', S.SYS_MADVISE, M.MADV_WILLNEED),
  range('populate', S.SYS_MADVISE, M.MADV_POPULATE_WRITE),
  range('populate-read', S.SYS_MADVISE, M.MADV_POPULATE_READ),
  range('dontfork', S.SYS_MADVISE, M.MADV_DONTFORK),
  range('wipeonfork', S.SYS_MADVISE, M.MADV_WIPEONFORK),
  range('mlock', S.SYS_MLOCK),
  range('mlock-onfault', S.SYS_MLOCK2, M.MLOCK_ONFAULT),
  range('munlock', S.SYS_MUNLOCK),
  { name: 'mlockall', at: () => [call('mlockall', S.SYS_MLOCKALL, [M.MCL_CURRENT])] },
  range('msync', S.SYS_MSYNC, M.MS_SYNC),
  range('mseal', S.SYS_MSEAL, 0),
  { name: 'copy-from', at: ({ common }) => [copyByteFrom(common)] },
  { name: 'copy-to', at: ({ common }, id) => [copyByteTo(common, 17 + id)] },
  { name: 'reap', at: () => [reap] },
  kernelWorkers('fork', () => [fork]),
  kernelWorkers('evict', ({ common }) => [evict(0, common), writeOut(1)]),
  kernelWorkers('reclaim', () => [reclaim(0)]),
  kernelWorkers('age', ({ common }) => [age(common)]),
  withFile('truncate', ({ common }) => [truncate(common)]),
  withFile('punch', ({ common }) => [punch(common)]),
  withFile('write-back', () => [writeBack]),
  withFile('allocate', ({ common }) => [
    call('fallocate', S.SYS_FALLOCATE, [FD, 0, common * PAGE_SIZE, PAGE_SIZE]),
  ]),
  withFile('read-file', ({ common, page }) => [
    call('pread', S.SYS_PREAD, [FD, BASE + page * PAGE_SIZE, 4, common * PAGE_SIZE]),
  ]),
  withFile('write-file', ({ common, page }) => [
    call('pwrite', S.SYS_PWRITE, [FD, BASE + page * PAGE_SIZE, 4, common * PAGE_SIZE]),
  ]),
];
