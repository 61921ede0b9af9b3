/** Loops that enter the kernel on the calling CPU: faults and local system calls. */
import type { Memory, Proc } from '../../../workers/program.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import {
  ANONYMOUS,
  CYCLES,
  FAULT_PAGES,
  FORK_BYTES,
  LAZY_BYTES,
  MMAPS,
  PREZERO_PAUSE_MS,
  REMOTE_FAULTS,
  ROUNDS,
  RW,
} from './sizes.ts';
import { fastest, nanosecondsEach } from './timing.ts';

function touch(mem: Memory, base: number, pages: number): void {
  const end = base + pages * PAGE_SIZE;
  for (let at = base; at < end; at += PAGE_SIZE) mem.store32(at, 1);
}

/** A demand-zero fault, from the store to the next instruction. */
function faultNs(proc: Proc, pages: number): number {
  const bytes = pages * PAGE_SIZE;
  return fastest(() => {
    const base = proc.local.mmap(0, bytes, RW, ANONYMOUS);
    const ns = nanosecondsEach(pages, () => touch(proc.mem, base, pages));
    proc.local.munmap(base, bytes);
    return ns;
  });
}

function cycle({ local, mem }: Proc): void {
  for (let i = 0; i < CYCLES; i++) {
    const at = local.mmap(0, PAGE_SIZE, RW, ANONYMOUS);
    mem.store32(at, 1);
    local.munmap(at, PAGE_SIZE);
  }
}

/** An mmap of untouched memory; the munmaps are not measured. */
function mmapNs({ local }: Proc, bytes: number): number {
  const mapped: number[] = [];
  return fastest(() => {
    const ns = nanosecondsEach(MMAPS, () => {
      for (let i = 0; i < MMAPS; i++) mapped.push(local.mmap(0, bytes, RW, ANONYMOUS));
    });
    for (const at of mapped.splice(0)) local.munmap(at, bytes);
    return ns;
  });
}

/** Nanoseconds of each operation. */
export type LocalFigures = Readonly<Record<'fault' | 'cycle' | 'mmapPage' | 'mmapLazy', number>>;

export function localFigures(proc: Proc): LocalFigures {
  return {
    fault: faultNs(proc, FAULT_PAGES),
    cycle: fastest(() => nanosecondsEach(CYCLES, () => cycle(proc))),
    mmapPage: mmapNs(proc, PAGE_SIZE),
    mmapLazy: mmapNs(proc, LAZY_BYTES),
  };
}

/** On a machine that zeroes frames ahead: each round after a pause in which it can. */
export async function zeroedFaultNs(proc: Proc): Promise<number> {
  const bytes = FAULT_PAGES * PAGE_SIZE;
  let best = Infinity;
  for (let round = 0; round <= ROUNDS; round++) {
    await new Promise((resolve) => setTimeout(resolve, PREZERO_PAUSE_MS));
    const base = proc.local.mmap(0, bytes, RW, ANONYMOUS);
    const ns = nanosecondsEach(FAULT_PAGES, () => touch(proc.mem, base, FAULT_PAGES));
    if (round > 0) best = Math.min(best, ns);
    proc.local.munmap(base, bytes);
  }
  return best;
}

/** On a machine with a pager. */
export function remoteFaultNs(proc: Proc): number {
  return faultNs(proc, REMOTE_FAULTS);
}

/**
 * A fork of `FORK_BYTES` resident, until the parent has the child's pid; the child returns at once.
 * The fastest, as the host's.
 */
export async function forkNs(proc: Proc): Promise<number> {
  const base = proc.local.mmap(0, FORK_BYTES, RW, ANONYMOUS);
  touch(proc.mem, base, FORK_BYTES / PAGE_SIZE);
  let best = Infinity;
  for (let round = 0; round <= ROUNDS; round++) {
    const startMs = performance.now();
    const pid = await proc.fork('forkedChild');
    const ns = (performance.now() - startMs) * 1e6;
    if (round > 0) best = Math.min(best, ns);
    await proc.wait(pid);
  }
  proc.local.munmap(base, FORK_BYTES);
  return best;
}
