/**
 * Reclaim: keeps frames free, in the background below the low watermark and at once for a fault
 * that found none.
 *
 *     pass     looks at resident pages from the hand on, lets the policy choose, clears accessed
 *              bits, takes pages out of their spaces, writes what must be written, frees those and
 *              pages of files that nobody maps
 *     relieve  passes until there is a frame; when several in a row free none, somebody is killed
 *
 * Guarantees: one pass at a time; no lock is held while the store is written; a fault that waits is
 * answered in the end, because each round frees a frame or ends a process.
 */
import {
  LOG_OUT_OF_MEMORY,
  STAT,
  agePages,
  allPids,
  count,
  evictObjectPages,
  evictPages,
  findCandidates,
  freeFrames,
  highWatermark,
  logEvent,
  memoryIsShort,
  processOf,
  processUsage,
  shareFreeFrames,
} from '../../kernel/index.ts';
import type { Candidate, Cpu, ReclaimPolicy } from '../../kernel/index.ts';
import { peek } from '../../shared/atomics.ts';
import { B_JIFFIES, P_SPACE } from '../../shared/layout.ts';
import {
  RECLAIM_BATCH_PAGES,
  RECLAIM_IDLE_PASSES_MAX,
  RECLAIM_SCAN_PAGES,
  USER_PAGES,
} from '../../shared/limits.ts';
import { inKernel } from './in-kernel.ts';
import type { Swapper } from './swapper.ts';

/** A page of a file is not given back so soon after it was read: whoever asked has to find it. */
const CACHE_GRACE_MS = 50;

export interface ReclaimerOptions {
  readonly cpu: Cpu;
  readonly policy: ReclaimPolicy;
  readonly swapper: Swapper | null;
  /** Blocks of the objects that the host registered. */
  readonly objects: () => readonly number[];
  /** Ends a process for want of memory; resolves when its memory is free. */
  readonly kill: (pid: number) => Promise<void>;
}

export class Reclaimer {
  readonly #cpu: Cpu;
  readonly #options: ReclaimerOptions;
  /** Where the next pass begins in an object's pages. */
  readonly #cacheHands = new Map<number, number>();
  /** Where it begins among processes' pages: the process and its page. */
  #handPid = 0;
  #handVpn = 0;
  /** The pass under way, which all that wait share. */
  #passing: Promise<number> | null = null;
  #idlePasses = 0;

  constructor(options: ReclaimerOptions) {
    this.#cpu = options.cpu;
    this.#options = options;
  }

  /** The daemon's tick. */
  tick(): void {
    if (this.#passing !== null || !memoryIsShort(this.#cpu.machine)) return;
    // A pass that frees nothing will not free more ten milliseconds later.
    if (this.#idlePasses >= RECLAIM_IDLE_PASSES_MAX) return;
    void this.#pass();
  }

  /**
   * Makes a frame free for process `pid`, which found none: true when it is worth to try again.
   * False: there is none to be had, and `pid` itself is the one to end.
   */
  async relieve(pid: number): Promise<boolean> {
    for (;;) {
      // Somebody gave frames back meanwhile, or the failure was injected.
      if (freeFrames(this.#cpu.machine) >= highWatermark(this.#cpu.machine)) return true;
      if ((await this.#pass()) > 0) return true;
      if (this.#idlePasses < RECLAIM_IDLE_PASSES_MAX) {
        await grow();
        continue;
      }
      const victim = this.#victim();
      if (victim === 0 || victim === pid) return false;
      this.#idlePasses = 0;
      inKernel(this.#cpu, () => {
        logEvent(this.#cpu, LOG_OUT_OF_MEMORY, victim, 0, 0);
        count(this.#cpu, STAT.oomKills, 1);
      });
      await this.#options.kill(victim);
      return true;
    }
  }

  /** Frees frames for a syscall; true when some became free. Nobody is killed for it. */
  async refill(): Promise<boolean> {
    for (let i = 0; i < RECLAIM_IDLE_PASSES_MAX; i++) {
      if ((await this.#pass()) > 0) return true;
      await grow();
    }
    return false;
  }

  /** Frames freed. Joins the pass under way. */
  #pass(): Promise<number> {
    this.#passing ??= this.#run().finally(() => {
      this.#passing = null;
    });
    return this.#passing;
  }

  async #run(): Promise<number> {
    const cpu = this.#cpu;
    const { policy, swapper } = this.#options;
    const free = freeFrames(cpu.machine);
    const wanted = Math.max(RECLAIM_BATCH_PAGES / 8, highWatermark(cpu.machine) - free);
    const candidates = inKernel(cpu, () => this.#candidates());
    const { evict, age } = policy.choose(candidates, Math.min(wanted, RECLAIM_BATCH_PAGES));
    this.#moveHand(candidates, [...evict, ...age]);
    const slots: number[] = [];
    for (const [space, vpns] of bySpace(candidates, age)) {
      inKernel(cpu, () => this.#isLive(space) && agePages(cpu, space, vpns));
    }
    for (const [space, vpns] of bySpace(candidates, evict)) {
      inKernel(cpu, () => {
        if (this.#isLive(space)) slots.push(...evictPages(cpu, space, vpns).slots);
      });
    }
    inKernel(cpu, () => this.#evictCache(wanted));
    if (swapper !== null) await swapper.write(slots);
    inKernel(cpu, () => shareFreeFrames(cpu));
    const freed = Math.max(0, freeFrames(cpu.machine) - free);
    inKernel(cpu, () => {
      count(cpu, STAT.pagesScanned, candidates.length);
      count(cpu, STAT.pagesReclaimed, freed);
    });
    this.#idlePasses = freed > 0 ? 0 : this.#idlePasses + 1;
    return freed;
  }

  /** Pages of files and backends that nobody maps; the youngest may just have been read. */
  #evictCache(wanted: number): void {
    const { cpu, objects } = this.#options;
    const before = peek(cpu.words, B_JIFFIES) - CACHE_GRACE_MS;
    let left = wanted;
    for (const object of objects()) {
      if (left <= 0) return;
      const { freed, next } = evictObjectPages(
        cpu,
        object,
        this.#cacheHands.get(object) ?? 0,
        left,
        before,
      );
      this.#cacheHands.set(object, next);
      left -= freed;
    }
  }

  /** Resident pages of all spaces, once round from the hand. */
  #candidates(): Candidate[] {
    const { machine } = this.#cpu;
    const found: Candidate[] = [];
    const pids = allPids(machine).sort((left, right) => left - right);
    const first = Math.max(
      0,
      pids.findIndex((pid) => pid >= this.#handPid),
    );
    const seen = new Set<number>();
    for (let i = 0; i < pids.length && found.length < RECLAIM_SCAN_PAGES; i++) {
      const pid = pids[(first + i) % pids.length] as number;
      const space = this.#spaceOf(pid);
      if (space === 0 || seen.has(space)) continue;
      seen.add(space);
      const from = pid === this.#handPid ? this.#handVpn : 0;
      const most = RECLAIM_SCAN_PAGES - found.length;
      findCandidates(this.#cpu, space, from, most, found);
    }
    // The part of the first space that lies before the hand comes last.
    const space = this.#spaceOf(this.#handPid);
    if (space !== 0 && this.#handVpn > 0 && found.length < RECLAIM_SCAN_PAGES) {
      const rest: Candidate[] = [];
      findCandidates(this.#cpu, space, 0, RECLAIM_SCAN_PAGES - found.length, rest);
      found.push(...rest.filter(({ vpn }) => vpn < this.#handVpn));
    }
    return found;
  }

  #moveHand(candidates: readonly Candidate[], touched: readonly number[]): void {
    const last = candidates[touched.reduce((most, index) => Math.max(most, index), -1)];
    if (last === undefined) return;
    const { machine } = this.#cpu;
    this.#handPid = allPids(machine).find((pid) => this.#spaceOf(pid) === last.space) ?? 0;
    this.#handVpn = Math.min(last.vpn + 1, USER_PAGES - 1);
  }

  #spaceOf(pid: number): number {
    const proc = processOf(this.#cpu.machine, pid);
    return proc === 0 ? 0 : peek(this.#cpu.words, proc + P_SPACE);
  }

  /** Whether a space is still somebody's: processes end on this Worker, but between two awaits. */
  #isLive(space: number): boolean {
    return allPids(this.#cpu.machine).some((pid) => this.#spaceOf(pid) === space);
  }

  /** Linux's idea of badness (oom_badness): who would give back most. 0: nobody. */
  #victim(): number {
    let victim = 0;
    let most = 0;
    for (const pid of allPids(this.#cpu.machine)) {
      const pages = processUsage(this.#cpu, pid)?.residentPages ?? 0;
      if (pages > most) {
        most = pages;
        victim = pid;
      }
    }
    return victim;
  }
}

/** Lets pages grow older, so that the last idle pass has seen none that was too young to give. */
function grow(): Promise<void> {
  const ms = Math.ceil((2 * CACHE_GRACE_MS) / RECLAIM_IDLE_PASSES_MAX);
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** The pages chosen, by space, ascending. */
function bySpace(
  candidates: readonly Candidate[],
  chosen: readonly number[],
): Map<number, number[]> {
  const spaces = new Map<number, number[]>();
  for (const index of chosen) {
    const candidate = candidates[index];
    if (candidate === undefined) continue;
    const { space, vpn } = candidate;
    const vpns = spaces.get(space) ?? [];
    vpns.push(vpn);
    spaces.set(space, vpns);
  }
  for (const vpns of spaces.values()) vpns.sort((left, right) => left - right);
  return spaces;
}
