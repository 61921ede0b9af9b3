/**
 * What a sequence may do to the process that runs it: the host's process holds a JavaScript engine
 * besides the windows, and must survive. Sequences come from files too, so each call is checked.
 */
import { MMAP_MIN_ADDR, PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { PR_SET_VMA, PR_SET_VMA_ANON_NAME } from '../../shared/abi/prctl.ts';
import { hex } from './maps-text.ts';

/** Lengths from here on wrap around when they are added to an address of a window. */
const WRAPPING: number = 2 ** 64 - 2 ** 16;
/** Descriptors that are certainly not open, or not looked at. */
const UNUSED_FD = 60;
const ON_RANGES = new Set(['mprotect', 'madvise', 'mlock', 'mlock2', 'munlock', 'mseal', 'msync']);

const REFUSES_UNALIGNED = new Set([
  ...['munmap', 'mprotect', 'mremap', 'madvise', 'mincore', 'msync', 'mseal'],
]);

/** Where a sequence may act. */
export interface Arena {
  readonly taskEnd: number;
  /** Whether [start, end] lies in one window or in the scratch pages. */
  contains(start: number, end: number): boolean;
}

/** The argument that points to memory which the call writes or reads. */
const POINTERS: Readonly<Record<string, number>> = {
  mincore: 2,
  read: 1,
  write: 1,
  pread: 1,
  pwrite: 1,
  getrlimit: 1,
  prlimit: 3,
  prctl: 4,
};

/** Calls that set limits on anything but memory are not allowed. */
const LIMITED = new Set([M.RLIMIT_AS, M.RLIMIT_DATA, M.RLIMIT_STACK, M.RLIMIT_MEMLOCK]);
/** The number of resources that Linux knows. */
const RLIMITS = 16;
const BY_FD = new Set([
  ...['close', 'ftruncate', 'lseek', 'read', 'write', 'pread', 'pwrite'],
  ...['dup', 'fcntl', 'fallocate'],
]);
/** Commands of fcntl that make no descriptor, lock nothing and send nothing; and one of none. */
const FCNTL_COMMANDS = new Set([M.F_GETFD, M.F_SETFD, M.F_GET_SEALS, M.F_ADD_SEALS, 9999]);
/** Bytes that a file may be given: they are the host's memory. */
const FALLOCATE_MAX: number = 2 ** 20;
/** No process of the host has a pid from here on. */
const PID_MAX: number = 2 ** 22;

const HUGE_PAGE: number = 2 ** 21;

/** MADV_HWPOISON and MADV_SOFT_OFFLINE take memory away from the whole system. */
const POISON = new Set([100, 101]);

/** Throws when the call could reach beyond the windows. */
export function checkSafe(call: string, args: readonly number[], arena: Arena): void {
  if (!isSafe(call, args, arena)) {
    throw new Error(`${call}(${args.map(hex).join(', ')}) is not safe to run`);
  }
}

function isSafe(call: string, args: readonly number[], arena: Arena): boolean {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = args;
  // Of an int the kernel sees the low half.
  const fd = a | 0;
  const inside = (start: number, length: number): boolean => {
    if (length >= WRAPPING || length <= 0 || start >= arena.taskEnd || start < 0) return true;
    if (start + length <= MMAP_MIN_ADDR) return true;
    return arena.contains(start - (start % PAGE_SIZE), start + length);
  };
  if (BY_FD.has(call) && fd >= 0 && fd < UNUSED_FD) return false;
  if (call === 'setrlimit') return isSafeLimit(args, arena);
  if (call === 'fcntl') return FCNTL_COMMANDS.has(b | 0);
  if (call === 'fallocate') return d <= FALLOCATE_MAX || d >= WRAPPING;
  if (call === 'prlimit' && ((fd > 0 && fd < PID_MAX) || !isSafePrlimit(args, arena))) return false;
  if (call === 'prctl' && (fd !== PR_SET_VMA || b !== PR_SET_VMA_ANON_NAME)) return false;
  const pointer = POINTERS[call];
  if (pointer !== undefined && !isGoodPointer(args[pointer] ?? 0, arena)) return false;
  if (call === 'madvise' && POISON.has(c | 0)) return false;
  // Refused before anything else is looked at.
  if (REFUSES_UNALIGNED.has(call) && a % PAGE_SIZE !== 0) return true;
  if (ON_RANGES.has(call)) return inside(a, b);
  if (call === 'prctl') return c % PAGE_SIZE !== 0 || inside(c, d);
  // Nobody's address space holds as much, so nothing happens; unless it begins at 0.
  const isTooLong = (start: number, length: number): boolean =>
    length >= arena.taskEnd && start > 0;
  if (call === 'munmap') return isTooLong(a, b) || inside(a, b);
  if (call === 'mmap' && (d & M.MAP_FIXED) !== 0) {
    if (a % PAGE_SIZE !== 0) return true;
    // Rounded up to huge pages; what is mapped there goes before the call is refused.
    if ((d & M.MAP_HUGETLB) !== 0) return a % HUGE_PAGE !== 0;
    return isTooLong(a, b) || a >= arena.taskEnd || arena.contains(a, a + b);
  }
  if (call === 'brk') return a < MMAP_MIN_ADDR || a >= arena.taskEnd || arena.contains(a, a);
  if (call !== 'mremap') return true;
  const isFixed = (d & M.MREMAP_FIXED) !== 0;
  if (isFixed && e % PAGE_SIZE !== 0) return true;
  return inside(a, Math.max(b, 1)) && (!isFixed || isTooLong(e, c) || inside(e, c));
}

/** A hard limit that is lowered is lowered for good; the others go back when the sequence ends. */
function isSafeLimit(
  [resource = 0, pointer = 0, soft, hard]: readonly number[],
  arena: Arena,
): boolean {
  if (soft === undefined || hard === undefined) {
    return pointer < MMAP_MIN_ADDR || pointer >= arena.taskEnd;
  }
  const known = resource | 0;
  if (!LIMITED.has(known)) return known < 0 || known >= RLIMITS;
  const isRefused = hard >= 0 && (soft < 0 || soft > hard);
  return arena.contains(pointer, pointer + 16) && (hard < 0 || isRefused || hard >= 2 ** 23);
}

/** Without new limits it only reads. */
function isSafePrlimit(
  [, resource = 0, pointer = 0, , ...limits]: readonly number[],
  arena: Arena,
): boolean {
  return pointer === 0 || isSafeLimit([resource, pointer, ...limits], arena);
}

/** One that the call will find bad, or one whose memory ends at a fence. */
function isGoodPointer(address: number, arena: Arena): boolean {
  return address < MMAP_MIN_ADDR || address >= arena.taskEnd || arena.contains(address, address);
}
