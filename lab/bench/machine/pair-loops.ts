/**
 * Two threads of one process on two CPUs: shootdowns, and faults side by side.
 *
 * The threads synchronise through words of their own memory. A waiting thread loads them as a
 * program does, and so answers shootdowns.
 */
import { PROT_NONE, PROT_READ } from '../../../workers/program.ts';
import type { Memory, Proc } from '../../../workers/program.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { load, pause, store } from '../../../shared/atomics.ts';
import type { Words } from '../../../shared/atomics.ts';
import { pinThread } from '../host.ts';
import { ANONYMOUS, ANSWERERS, FAULT_PAGES, ROUNDS, RW, SHOOTDOWNS, TRAPS } from './sizes.ts';
import { fastest, nanosecondsEach } from './timing.ts';

/** Words through which the threads synchronise: the round, arrivals, and when each ended. */
const ROUND = 0;
const READY = 64;
const DONE = 128;
const TIMES = 192;

/** A page written and made read-only, so that its translation must go, and writable again. */
function protectCycles({ local, mem }: Proc, at: number): void {
  for (let i = 0; i < SHOOTDOWNS; i++) {
    mem.store32(at, i);
    local.mprotect(at, PAGE_SIZE, PROT_READ);
    local.mprotect(at, PAGE_SIZE, RW);
  }
}

function protectNs(proc: Proc, at: number): number {
  return fastest(() => nanosecondsEach(SHOOTDOWNS, () => protectCycles(proc, at)));
}

/** Waits until the word is at least `value`, in user mode. */
function awaitWord(mem: Memory, at: number, value: number): void {
  while (mem.load32(at) < value);
}

function spinPing(words: Words): number {
  return fastest(() =>
    nanosecondsEach(TRAPS, () => {
      for (let i = 0; i < TRAPS; i++) {
        const turn = load(words, 0) + 1;
        store(words, 0, turn);
        while (load(words, 16) !== turn) pause();
      }
    }),
  );
}

/**
 * The other thread: answers the bare ping-pong, for which its CPU needs no user mode, and then runs
 * in user mode until the word changes.
 */
export function answerer(
  proc: Proc,
  hostCpu: number | null,
  shared: SharedArrayBuffer,
  meet: number,
): void {
  pinThread(hostCpu);
  const words = new Int32Array(shared);
  let answered = 0;
  while (answered >= 0) {
    const asked = load(words, 0);
    if (asked !== answered) store(words, 16, asked);
    answered = asked;
    pause();
  }
  proc.mem.atomicStore32(meet + READY, 1);
  awaitWord(proc.mem, meet + ROUND, 1);
}

/**
 * The figures with one other thread. It also exists while `unobserved` is measured, because its
 * stack is an area that lookups pass and others may merge with; what differs is whether its CPU is
 * in user mode, where a shootdown has to wait for it.
 */
async function besideThread(
  proc: Proc,
  target: number,
  peerCpu: number | null,
): Promise<{ ping: number; unobserved: number; observed: number }> {
  const meet = proc.local.mmap(0, PAGE_SIZE, RW, ANONYMOUS);
  const words = new Int32Array(new SharedArrayBuffer(PAGE_SIZE));
  const pid = await proc.clone('answerer', { args: [peerCpu, words.buffer, meet] });
  const ping = spinPing(words);
  const unobserved = protectNs(proc, target);
  store(words, 0, -1);
  awaitWord(proc.mem, meet + READY, 1);
  const observed = protectNs(proc, target);
  proc.mem.atomicStore32(meet + ROUND, 1);
  await proc.wait(pid);
  proc.local.munmap(meet, PAGE_SIZE);
  return { ping, unobserved, observed };
}

/** Nanoseconds that a shootdown takes longer when it has to wait, and of a bare ping-pong. */
export type ShootdownFigures = Readonly<Record<'shootdown' | 'ping', number>>;

/** A difference of two large figures: the best of several threads. */
export async function shootdownFigures(
  proc: Proc,
  peerCpu: number | null,
): Promise<ShootdownFigures> {
  // Inaccessible pages on both sides, so that the area merges with no other.
  const room = proc.local.mmap(0, 3 * PAGE_SIZE, PROT_NONE, ANONYMOUS);
  const target = room + PAGE_SIZE;
  proc.local.mprotect(target, PAGE_SIZE, RW);
  let [ping, unobserved, observed] = [Infinity, Infinity, Infinity];
  for (let i = 0; i < ANSWERERS; i++) {
    const one = await besideThread(proc, target, peerCpu);
    ping = Math.min(ping, one.ping);
    unobserved = Math.min(unobserved, one.unobserved);
    observed = Math.min(observed, one.observed);
  }
  proc.local.munmap(room, 3 * PAGE_SIZE);
  return { shootdown: observed - unobserved, ping };
}

/** A clock that all Workers read alike. */
function sharedNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Faults of one thread in a region of its own, `rounds` times; each round starts together. */
export function faulter(
  proc: Proc,
  hostCpu: number | null,
  meet: number,
  thread: number,
  threads: number,
): void {
  pinThread(hostCpu);
  const { mem, local } = proc;
  const bytes = FAULT_PAGES * PAGE_SIZE;
  for (let round = 0; round <= ROUNDS; round++) {
    const base = local.mmap(0, bytes, RW, ANONYMOUS);
    mem.atomicAdd32(meet + READY, 1);
    awaitWord(mem, meet + READY, (round + 1) * threads);
    const startMs = sharedNowMs();
    for (let page = 0; page < FAULT_PAGES; page++) mem.store32(base + page * PAGE_SIZE, 1);
    const endMs = sharedNowMs();
    const times = meet + TIMES + (round * threads + thread) * 16;
    mem.storeF64(times, startMs);
    mem.storeF64(times + 8, endMs);
    mem.atomicAdd32(meet + DONE, 1);
    awaitWord(mem, meet + DONE, (round + 1) * threads);
    local.munmap(base, bytes);
  }
}

/**
 * Faults a microsecond of `threads` threads together: the best round, from the
 * first thread's start to the last one's end.
 */
async function faultRate(proc: Proc, threads: number, peerCpu: number | null): Promise<number> {
  const { mem } = proc;
  const meet = proc.local.mmap(0, PAGE_SIZE, RW, ANONYMOUS);
  const pids: number[] = [];
  for (let thread = 1; thread < threads; thread++) {
    pids.push(await proc.clone('faulter', { args: [peerCpu, meet, thread, threads] }));
  }
  faulter(proc, null, meet, 0, threads);
  for (const pid of pids) await proc.wait(pid);
  let best = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    let startMs = Infinity;
    let endMs = 0;
    for (let thread = 0; thread < threads; thread++) {
      const times = meet + TIMES + (round * threads + thread) * 16;
      startMs = Math.min(startMs, mem.loadF64(times));
      endMs = Math.max(endMs, mem.loadF64(times + 8));
    }
    best = Math.max(best, (threads * FAULT_PAGES) / ((endMs - startMs) * 1000));
  }
  proc.local.munmap(meet, PAGE_SIZE);
  return best;
}

/** Faults a microsecond of one thread, and of two. */
export type ScalingFigures = Readonly<Record<'one' | 'two', number>>;

export async function scalingFigures(proc: Proc, peerCpu: number | null): Promise<ScalingFigures> {
  return { one: await faultRate(proc, 1, peerCpu), two: await faultRate(proc, 2, peerCpu) };
}
