/**
 * The programs of a kill storm: each kind is busy in another way when its kill comes. They end by
 * themselves with ENDED, or as their kind says (storm.ts).
 */
import {
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from '../../workers/program.ts';
import type { Proc } from '../../workers/program.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';

const RW = PROT_READ | PROT_WRITE;
const PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS;
const SHARED = MAP_SHARED | MAP_ANONYMOUS;
const PAGES = 64;
const PEERS = 3;
/** Exit code of a program that ended by itself. */
const ENDED = 1;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function touch(proc: Proc, at: number, value: number): void {
  for (let page = 0; page < PAGES; page++) proc.mem.store32(at + page * PAGE_SIZE, value);
}

async function arena(proc: Proc, flags = PRIVATE): Promise<number> {
  return proc.mmap(0, PAGES * PAGE_SIZE, RW, flags);
}

/** Recurses until the stack is full; each frame uses the kernel. Never returns. */
function recurse(proc: Proc, at: number, step: (page: number) => void, page = 0): number {
  step(at + (page % PAGES) * PAGE_SIZE);
  return recurse(proc, at, step, page + 1) + 1;
}

type Kind = (proc: Proc, ms: number) => Promise<number>;

const KINDS: Readonly<Record<string, Kind>> = {
  spin: async (_proc, ms) => {
    const endMs = performance.now() + ms;
    while (performance.now() < endMs);
    return ENDED;
  },
  touch: async (proc, ms) => {
    const at = await arena(proc);
    const endMs = performance.now() + ms;
    for (let value = 0; performance.now() < endMs; value++) touch(proc, at, value);
    return ENDED;
  },
  timers: async (proc, ms) => {
    const at = await arena(proc);
    const timer = setInterval(() => proc.mem.atomicAdd32(at, 1), 1);
    await pause(ms);
    clearInterval(timer);
    // It may fire after the end.
    setTimeout(() => proc.mem.store32(at, 1), 2);
    return ENDED;
  },
  rejects: async (proc, ms) => {
    void proc.munmap(1, PAGE_SIZE);
    await pause(ms);
    return ENDED;
  },
  faults: async (proc, ms) => {
    const at = await proc.mmap(0, PAGE_SIZE, PROT_READ, PRIVATE);
    await pause(ms / 4);
    proc.mem.store32(at, 1);
    return ENDED;
  },
  futex: async (proc, ms) => {
    const at = await arena(proc, SHARED);
    for (let i = 0; i < PEERS; i++) await proc.clone('waiter', { args: [at, ms, i] });
    for (let i = 0; i < PEERS; i++) {
      await pause(ms / PEERS);
      proc.mem.atomicAdd32(at, 1);
      await proc.futexWake(at, PEERS);
    }
    for (let i = 0; i < PEERS; i++) await proc.wait();
    return ENDED;
  },
  forks: async (proc, ms) => {
    const at = await arena(proc);
    touch(proc, at, 1);
    for (let i = 0; i < PEERS; i++) await proc.fork('child', at, ms);
    for (let i = 0; i < PEERS; i++) await proc.wait();
    return ENDED;
  },
  orphans: async (proc, ms) => {
    const at = await arena(proc);
    touch(proc, at, 1);
    // Forks that are on their way when it ends.
    for (let i = 0; i < PEERS; i++) void proc.fork('child', at, ms).catch(() => {});
    await proc.fork('child', at, ms);
    return ENDED;
  },
  threads: async (proc, ms) => {
    const at = await arena(proc);
    const half = (PAGES / 2) * PAGE_SIZE;
    for (let i = 0; i < PEERS; i++) await proc.clone('thread', { args: [at, ms] });
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      await proc.munmap(at + half, half);
      await proc.mmap(at + half, half, RW, PRIVATE | MAP_FIXED);
    }
    return ENDED;
  },
  loops: async (proc, ms) => {
    const calls = ms % 2 === 0 ? proc.local : proc.sync;
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) {
      const at = calls.mmap(0, PAGES * PAGE_SIZE, RW, PRIVATE);
      touch(proc, at, 1);
      calls.mprotect(at, PAGE_SIZE, PROT_READ);
      calls.munmap(at, PAGES * PAGE_SIZE);
    }
    return ENDED;
  },
  signals: async (proc, ms) => {
    proc.sigaction('SIGUSR1', () => {});
    await proc.fork('signaller', proc.pid, ms);
    const endMs = performance.now() + ms;
    while (performance.now() < endMs) await proc.nanosleep(1e6).catch(() => {});
    return ENDED;
  },
  recurse: async (proc) => {
    const at = await arena(proc);
    // It faults at each step, in some 20 ms altogether: a kill does not wait much longer.
    return recurse(proc, at, (address) => {
      proc.mem.store32(address, 1);
      if (address === at) proc.local.madvise(at, PAGES * PAGE_SIZE, MADV_DONTNEED);
    });
  },
  'recurse-calls': async (proc) => {
    const at = await arena(proc);
    return recurse(proc, at, (address) => proc.local.mprotect(address, PAGE_SIZE, PROT_READ));
  },
  endless: async (proc) => {
    touch(proc, await arena(proc), 1);
    for (;;);
  },
};

/** Entry of a thread that waits for its parent's wake-ups. */
export async function waiter(proc: Proc, at: number, ms: number, index: number): Promise<number> {
  const value = proc.mem.atomicLoad32(at);
  const calls = index === 0 ? proc.sync : proc;
  try {
    await calls.futexWait(at, value, ms);
  } catch {
    // It was late, or the value had changed.
  }
  return ENDED;
}

/** Entry of a forked child. */
export async function child(proc: Proc, at: number, ms: number): Promise<number> {
  touch(proc, at, 2);
  await pause(ms / 4);
  return ENDED;
}

/** Entry of a thread that stores to what its parent unmaps: a fault ends it. */
export async function thread(proc: Proc, at: number, ms: number): Promise<number> {
  const endMs = performance.now() + ms;
  for (let value = 0; performance.now() < endMs; value++) touch(proc, at, value);
  return ENDED;
}

/** Entry of a child that sends its parent signals. */
export async function signaller(proc: Proc, parent: number, ms: number): Promise<number> {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    await proc.kill(parent, 'SIGUSR1').catch(() => {});
    await proc.schedYield();
  }
  return ENDED;
}

export default function program(proc: Proc, kind: string, ms: number): Promise<number> {
  return (KINDS[kind] as Kind)(proc, ms);
}
