/** Loops that enter the kernel on the CPU's own account: faults and local system calls. */
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from '../../../workers/program.ts';
import type { Memory, Proc } from '../../../workers/program.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { fastest, nanosecondsEach } from './figures.ts';
import type { Figures } from './figures.ts';
import {
  CYCLES,
  FAULT_PAGES,
  FORK_BYTES,
  LAZY_BYTES,
  MMAPS,
  PREZERO_PAUSE_MS,
  REMOTE_FAULTS,
  ROUNDS,
} from './sizes.ts';

const RW: number = PROT_READ | PROT_WRITE;
const ANONYMOUS: number = MAP_PRIVATE | MAP_ANONYMOUS;

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

export function localFigures(proc: Proc): Figures {
  return {
    fault: faultNs(proc, FAULT_PAGES),
    cycle: fastest(() => nanosecondsEach(CYCLES, () => cycle(proc))),
    mmapPage: mmapNs(proc, PAGE_SIZE),
    mmapLazy: mmapNs(proc, LAZY_BYTES),
  };
}

/** On a machine that zeroes frames ahead: each round after a pause in which it can. */
export async function zeroedFigures(proc: Proc): Promise<Figures> {
  const bytes = FAULT_PAGES * PAGE_SIZE;
  let best = Infinity;
  for (let round = 0; round <= ROUNDS; round++) {
    await new Promise((resolve) => setTimeout(resolve, PREZERO_PAUSE_MS));
    const base = proc.local.mmap(0, bytes, RW, ANONYMOUS);
    const ns = nanosecondsEach(FAULT_PAGES, () => touch(proc.mem, base, FAULT_PAGES));
    if (round > 0) best = Math.min(best, ns);
    proc.local.munmap(base, bytes);
  }
  return { faultZeroed: best };
}

/** On a machine with a pager. */
export function remoteFigures(proc: Proc): Figures {
  return { faultRemote: faultNs(proc, REMOTE_FAULTS) };
}

/**
 * A fork of `FORK_BYTES` resident, until the parent has the child's pid; the child returns at once.
 * The fastest, as the host's.
 */
export async function forkFigures(proc: Proc): Promise<Figures> {
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
  return { fork: best };
}
