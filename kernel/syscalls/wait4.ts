/**
 * wait4(2): its checks, in Linux's order, and what it writes to its caller's memory. Who is whose
 * child, and the waiting itself, is the kernel worker's (workers/kernel/processes/wait-service.ts).
 */
import { peek } from '../../shared/atomics.ts';
import { ECHILD, EFAULT, EINVAL, ESRCH } from '../../shared/abi/errno.ts';
import { WCONTINUED, WNOHANG, WUNTRACED, __WALL } from '../../shared/abi/wait-status.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import type { Pid, ProcessBlock, VirtAddr } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { copyToUser } from '../mmu/user-copy.ts';

const OPTIONS: number = WNOHANG | WUNTRACED | WCONTINUED | __WALL;
/** It has no positive counterpart, which would be the process group's number. */
const INT_MIN: number = -(2 ** 31);

/** What a process has used, as struct rusage reports it. */
export interface Usage {
  /** Time on the CPU in microseconds. */
  readonly cpuUs: number;
  /** Most memory that was resident at a time, in KiB. */
  readonly residentPeakKiB: number;
  /** Faults that waited for nothing. */
  readonly faultsMinor: number;
  /** Faults that waited for a page. */
  readonly faultsMajor: number;
}

/** 8-byte words of a struct rusage, and the places of those that are known here. */
const USAGE_WORDS = 18;
const UTIME_SECONDS = 0;
const UTIME_MICROSECONDS = 1;
const MAXRSS_KIB = 4;
const MINFLT = 8;
const MAJFLT = 9;

/** `pid` and `options` are ints. 0 if a wait may begin, else -EINVAL or -ESRCH. */
export function checkWait4(pid: Pid, status: VirtAddr, options: number, usage: VirtAddr): number {
  if (![pid, status, options, usage].every(Number.isInteger)) return -EINVAL;
  if ((options & ~OPTIONS) !== 0) return -EINVAL;
  return pid === INT_MIN ? -ESRCH : 0;
}

/** Of a process without children, as each is for the kernel proper. */
export function sysWait4(
  _cpu: Cpu,
  _proc: ProcessBlock,
  pid: Pid,
  status: VirtAddr,
  options: number,
  usage: VirtAddr,
): number {
  const refusal = checkWait4(pid, status, options, usage);
  return refusal === 0 ? -ECHILD : refusal;
}

/**
 * Writes the status word `word` to `status` and a struct rusage to `usage`, in this order; an
 * address of 0 leaves one out. 0, -EFAULT (perhaps for want of a frame: wantsMemory), -WAIT_PAGE.
 */
export function storeWait4(
  cpu: Cpu,
  proc: ProcessBlock,
  status: VirtAddr,
  word: number,
  usage: VirtAddr,
  used: Usage,
): number {
  cpu.lacksFrame = false;
  const written = status === 0 ? 0 : put(cpu, proc, status, new Int32Array([word]));
  if (written !== 0 || usage === 0) return written;
  const words = new BigInt64Array(USAGE_WORDS);
  const cpuUs = Math.floor(used.cpuUs);
  words[UTIME_SECONDS] = BigInt(Math.floor(cpuUs / 1e6));
  words[UTIME_MICROSECONDS] = BigInt(cpuUs % 1e6);
  words[MAXRSS_KIB] = BigInt(used.residentPeakKiB);
  words[MINFLT] = BigInt(used.faultsMinor);
  words[MAJFLT] = BigInt(used.faultsMajor);
  return put(cpu, proc, usage, words);
}

function put(
  cpu: Cpu,
  proc: ProcessBlock,
  address: VirtAddr,
  words: Int32Array | BigInt64Array,
): number {
  const bytes = new Uint8Array(words.buffer);
  const copied = copyToUser(cpu, peek(cpu.words, proc + PROCESS.SPACE), address, bytes);
  if (copied < 0) return copied;
  return copied < bytes.length ? -EFAULT : 0;
}
