/** Calls with arguments from the edges of what they take, drawn for a walk. */
import * as M from '../../../../shared/abi/mman.ts';
import * as F from '../../../../shared/abi/futex-operations.ts';
import * as PR from '../../../../shared/abi/prctl.ts';
import * as S from '../../../../shared/abi/syscall-numbers.ts';
import { PAGE_SIZE, USER_SPACE_END } from '../../../../shared/limits.ts';
import { ANON, BASE, RW } from '../kit.ts';
import type { Operation } from '../kit.ts';
import { call } from '../pairs/call.ts';
import { heapBy, processVm } from './steps.ts';

/** Seeded choices. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  of(list: readonly number[]): number {
    return list[this.below(list.length)] as number;
  }
}

/** The descriptor that is open from the start, one that may be a copy of it, and none. */
const FDS = [3, 3, 3, 4, 9];
const PAGES = [0, 0, 1, 1, 2, 3, 4, 600, 1022, 1023, 1024];
const LENGTHS = [1, 1, 2, 2, 3, 4, 1024, 1025];
const BYTES = [0, 1, 5, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE, 3 * PAGE_SIZE];
const PROTS = [0, M.PROT_READ, M.PROT_WRITE, RW, RW, M.PROT_READ | M.PROT_EXEC];
const SIZES = [...BYTES, -1, 2 ** 40];
const ADVICE = [
  ...[0, 1, 2, 3, 4, 4, 8, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  ...[M.MADV_GUARD_INSTALL, M.MADV_GUARD_REMOVE],
];
const MAP_MORE = [
  ...[0, 0, 0, M.MAP_GROWSDOWN, M.MAP_NORESERVE, M.MAP_POPULATE, M.MAP_LOCKED, M.MAP_STACK],
  ...[M.MAP_DROPPABLE, M.MAP_FIXED_NOREPLACE],
];
const RESOURCES = [M.RLIMIT_DATA, M.RLIMIT_STACK, M.RLIMIT_MEMLOCK, M.RLIMIT_AS, 1];
const MEMORY_KINDS = 14;
const FILE_KINDS = 10;
const OTHER_KINDS = 12;

/** A syscall of a walk. */
export function drawCall(draw: Draw): Operation {
  const kind = draw.below(3);
  if (kind === 0) return memoryCall(draw);
  return kind === 1 ? fileCall(draw) : otherCall(draw);
}

function addressOf(draw: Draw): number {
  const odd = draw.below(12) === 0 ? draw.of([1, 8, PAGE_SIZE / 2]) : 0;
  return BASE + draw.of(PAGES) * PAGE_SIZE + odd;
}

function lengthOf(draw: Draw): number {
  const odd = draw.below(10) === 0 ? 1 : 0;
  return draw.of(LENGTHS) * PAGE_SIZE - odd;
}

function memoryCall(draw: Draw): Operation {
  const [at, length] = [addressOf(draw), lengthOf(draw)];
  switch (draw.below(MEMORY_KINDS)) {
    case 0:
      return call('munmap', S.SYS_MUNMAP, [at, length]);
    case 1:
      return call('mprotect', S.SYS_MPROTECT, [at, length, draw.of(PROTS)]);
    case 2:
      return call('mmap', S.SYS_MMAP, [
        at,
        length,
        draw.of(PROTS),
        ANON | draw.of(MAP_MORE),
        -1,
        0,
      ]);
    case 3: {
      const flags = M.MAP_ANONYMOUS | draw.of([M.MAP_PRIVATE, M.MAP_SHARED]) | draw.of(MAP_MORE);
      return call('mmap anywhere', S.SYS_MMAP, [draw.of([0, at]), length, RW, flags, -1, 0]);
    }
    case 4: {
      const flags = draw.of([0, M.MREMAP_MAYMOVE, 3, 3, 5, 7]);
      const args = [at, length, lengthOf(draw), flags, addressOf(draw)];
      return call('mremap', S.SYS_MREMAP, args);
    }
    case 5:
    case 6:
      return call('madvise', S.SYS_MADVISE, [at, length, draw.of(ADVICE)]);
    case 7:
      return call('mincore', S.SYS_MINCORE, [at, length, addressOf(draw)]);
    case 8:
      return call('mlock2', S.SYS_MLOCK2, [at, length, draw.of([0, 1])]);
    case 9:
      return call('munlock', S.SYS_MUNLOCK, [at, length]);
    case 10:
      return call('mlockall', S.SYS_MLOCKALL, [draw.of([0, 1, 2, 3, 4, 5, 7, 8])]);
    case 11:
      return call('msync', S.SYS_MSYNC, [at, length, draw.of([0, 1, 2, 4, 6])]);
    case 12:
      return heapBy(draw.of([0, 1, PAGE_SIZE, 3 * PAGE_SIZE, -PAGE_SIZE, -2 * PAGE_SIZE]));
    default:
      return draw.below(4) === 0
        ? call('mseal', S.SYS_MSEAL, [at, length, 0])
        : call('munlockall', S.SYS_MUNLOCKALL, []);
  }
}

function fileCall(draw: Draw): Operation {
  const [fd, at] = [draw.of(FDS), addressOf(draw)];
  switch (draw.below(FILE_KINDS)) {
    case 0:
      return call('read', S.SYS_READ, [fd, at, draw.of(BYTES)]);
    case 1:
      return call('write', S.SYS_WRITE, [fd, at, draw.of(BYTES)]);
    case 2:
      return call('pread', S.SYS_PREAD, [fd, at, draw.of(BYTES), draw.of(SIZES)]);
    case 3:
      return call('pwrite', S.SYS_PWRITE, [fd, at, draw.of(BYTES), draw.of(BYTES)]);
    case 4:
      return call('lseek', S.SYS_LSEEK, [fd, draw.of(SIZES), draw.of([0, 1, 2, 3, 4, 5])]);
    case 5:
      return call('ftruncate', S.SYS_FTRUNCATE, [fd, draw.of(SIZES)]);
    case 6: {
      const mode = draw.of([0, 0, 1, 3, 3, 3, 2, 0x10, 0x11, 0x40]);
      return call('fallocate', S.SYS_FALLOCATE, [fd, mode, draw.of(SIZES), draw.of(SIZES)]);
    }
    case 7: {
      const command = draw.of([M.F_GETFD, M.F_SETFD, M.F_ADD_SEALS, M.F_GET_SEALS, 77]);
      return call('fcntl', S.SYS_FCNTL, [fd, command, draw.of([0, 1, 2, 4, 8, 16, 32, 64])]);
    }
    case 8:
      return draw.below(3) === 0
        ? call('close', S.SYS_CLOSE, [draw.of([4, 5, 9])])
        : call('dup', S.SYS_DUP, [fd]);
    default: {
      const type = draw.of([M.MAP_SHARED, M.MAP_PRIVATE, M.MAP_SHARED_VALIDATE]) | M.MAP_FIXED;
      const args = [at, lengthOf(draw), draw.of(PROTS), type, fd, draw.of([0, 0, PAGE_SIZE, 1])];
      return call('mmap the file', S.SYS_MMAP, args);
    }
  }
}

function otherCall(draw: Draw): Operation {
  const at = addressOf(draw);
  switch (draw.below(OTHER_KINDS)) {
    case 0:
      return call('getpriority', S.SYS_GETPRIORITY, [draw.of([0, 0, 1]), draw.of([0, 1, 2, 99])]);
    case 1:
      return call('setpriority', S.SYS_SETPRIORITY, [
        0,
        draw.of([0, 2, 99]),
        draw.of([-30, 5, 7, 40]),
      ]);
    case 2:
      return call('getrlimit', S.SYS_GETRLIMIT, [draw.of(RESOURCES), at]);
    case 3:
      return call('setrlimit', S.SYS_SETRLIMIT, [draw.of(RESOURCES), at]);
    case 4: {
      const args = [draw.of([0, 2, 99]), draw.of(RESOURCES), draw.of([0, at]), addressOf(draw)];
      return call('prlimit', S.SYS_PRLIMIT, args);
    }
    case 5: {
      const args = [PR.PR_SET_VMA, 0, at & ~1, lengthOf(draw), draw.of([0, BASE])];
      return call('name memory', S.SYS_PRCTL, args);
    }
    case 6: {
      const option = draw.of([PR.PR_SET_MM_START_STACK, PR.PR_SET_MM_START_BRK, PR.PR_SET_MM_BRK]);
      return call('set mm', S.SYS_PRCTL, [PR.PR_SET_MM, option, draw.of([0, at]), 0, 0]);
    }
    case 7: {
      const option = draw.of([PR.ARCH_SET_FS, PR.ARCH_GET_FS, PR.ARCH_MAP_VDSO_64, 0]);
      return call('arch_prctl', S.SYS_ARCH_PRCTL, [option, draw.of([at, USER_SPACE_END])]);
    }
    case 8:
      return call('set_tid_address', S.SYS_SET_TID_ADDRESS, [at]);
    case 9: {
      const operation = draw.of([F.FUTEX_WAKE, F.FUTEX_REQUEUE, F.FUTEX_CMP_REQUEUE, 129]);
      return call('futex', S.SYS_FUTEX, [at, operation, 1, 1, addressOf(draw), draw.of([0, 5])]);
    }
    case 10:
      return call('futex_wake', S.SYS_FUTEX_WAKE, [at, draw.of([0, 1, 5])]);
    default:
      return processVm(draw.below(2) === 0, at, addressOf(draw), draw.of(BYTES));
  }
}
