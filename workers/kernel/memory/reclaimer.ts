/**
 * Reclaim: keeps frames free, in the background below the low watermark (as kswapd does), and
 * directly for a fault or syscall that found none.
 *
 *     pass            looks at resident pages from the hand on, lets the policy choose, clears
 *                     accessed bits, takes pages out of their spaces, writes what must be written,
 *                     frees those and pages of files that nobody maps
 *     direct reclaim  passes until there is a frame. For a process whose memory group is full all
 *                     passes keep to that group
 *     OOM kill        when several passes in a row free nothing, a fault has a process killed
 *
 * Guarantees: one pass at a time; no lock is held while the store is written; a fault that waits is
 * answered in the end, because each round frees a frame or ends a process.
 */
import {
  LOG_OOM_KILL,
  STAT,
  agePages,
  allPids,
  badness,
  count,
  evictObjectPages,
  evictPages,
  freeFrames,
  groupIsFull,
  groupOf,
  groupUsage,
  highWatermark,
  logEvent,
  memoryIsShort,
  shareFreeFrames,
  spaceOfPid,
} from '../../../kernel/index.ts';
import type { Candidate, Cpu, ReclaimPolicy } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import * as BOOT from '../../../shared/layout/boot.ts';
import { RECLAIM_BATCH_PAGES, RECLAIM_IDLE_PASSES_MAX } from '../../../shared/limits.ts';
import { ClockHand } from './clock-hand.ts';
import { inKernel } from '../in-kernel.ts';
import type { MemoryPressure } from './memory-pressure.ts';
import type { Swapper } from './swapper.ts';

/** A file's page is not freed this soon after it was read: its requester must find it first. */
const CACHE_GRACE_MS = 50;

export interface ReclaimerNeeds {
  readonly cpu: Cpu;
  readonly policy: ReclaimPolicy;
  readonly swapper: Swapper | null;
  /** Writes dirty pages of files back to the host, so that they can go. */
  readonly writeBack: { readonly isNeeded: boolean; syncAll(clean: boolean): Promise<number> };
  readonly pressure: MemoryPressure;
  /** Blocks of the objects that the host registered. */
  readonly objects: () => readonly number[];
  /** Ends a process for want of memory; resolves when its memory is free. */
  readonly kill: (pid: number) => Promise<void>;
}

export class Reclaimer {
  readonly #cpu: Cpu;
  readonly #needs: ReclaimerNeeds;
  /** Where the next pass begins in an object's pages. */
  readonly #cacheHands = new Map<number, number>();
  /** Where it begins among processes' pages, for each memory group and (0) for all. */
  readonly #hands = new Map<number, ClockHand>();
  /** The pass under way, which all that wait for the same group share. */
  #passing: { readonly group: number; readonly freed: Promise<number> } | null = null;
  readonly #idlePasses = new Map<number, number>();

  constructor(needs: ReclaimerNeeds) {
    this.#cpu = needs.cpu;
    this.#needs = needs;
  }

  /** Starts a pass when memory is short. Called at every tick. */
  reclaimInBackground(): void {
    if (this.#passing !== null || !memoryIsShort(this.#cpu.machine)) return;
    // A pass that frees nothing will not free more ten milliseconds later.
    if (this.#idleOf(0) >= RECLAIM_IDLE_PASSES_MAX) return;
    void this.#pass(0);
  }

  /**
   * Frees a frame for process `pid`, which found none or whose memory group is full: true when it
   * is worth trying again. False: there is none to be had, and `pid` itself must be killed.
   */
  directReclaimOrKill(pid: number): Promise<boolean> {
    return this.#needs.pressure.wait(this.#reclaimOrKill(pid));
  }

  async #reclaimOrKill(pid: number): Promise<boolean> {
    const group = this.#fullGroup(pid);
    for (;;) {
      // Frames were freed meanwhile, or the failure was injected.
      if (this.#hasRoom(group) || (await this.#pass(group)) > 0) return true;
      if (this.#idleOf(group) < RECLAIM_IDLE_PASSES_MAX) {
        await waitForAge();
        continue;
      }
      const victim = this.#victim(group);
      if (victim.pid === 0 || victim.pid === pid) return false;
      this.#idlePasses.delete(group);
      const limit = groupUsage(this.#cpu.machine, group)?.limitPages ?? 0;
      inKernel(this.#cpu, () => {
        logEvent(this.#cpu, LOG_OOM_KILL, victim.pid, victim.pages, limit);
        count(this.#cpu, STAT.oomKills, 1);
      });
      await this.#needs.kill(victim.pid);
      return true;
    }
  }

  /** Frees frames for a syscall; true when some became free. Kills no process. */
  directReclaim(pid: number): Promise<boolean> {
    return this.#needs.pressure.wait(this.#reclaim(pid));
  }

  async #reclaim(pid: number): Promise<boolean> {
    const group = this.#fullGroup(pid);
    for (let i = 0; i < RECLAIM_IDLE_PASSES_MAX; i++) {
      if ((await this.#pass(group)) > 0) return true;
      await waitForAge();
    }
    return false;
  }

  /** Passes in a row that have freed nothing, of a group or (0) of all. */
  #idleOf(group: number): number {
    return this.#idlePasses.get(group) ?? 0;
  }

  /** Pages freed, for a group or (0) for all. Joins such a pass that is under way. */
  async #pass(group: number): Promise<number> {
    while (this.#passing !== null && this.#passing.group !== group) await this.#passing.freed;
    if (this.#passing === null) {
      const freed = this.#run(group).finally(() => {
        this.#passing = null;
      });
      this.#passing = { group, freed };
    }
    return this.#passing.freed;
  }

  async #run(group: number): Promise<number> {
    const cpu = this.#cpu;
    const { policy, swapper, writeBack } = this.#needs;
    // What lies in this CPU's cache was free before, and must not count as freed by this pass.
    inKernel(cpu, () => shareFreeFrames(cpu));
    const before = this.#roomOf(group);
    const hand = this.#handOf(group);
    const target = this.#targetOf(group);
    // Pages of files that must be written back before they can go, when no others are left.
    if (this.#idleOf(group) > 0 && writeBack.isNeeded) await writeBack.syncAll(true);
    const candidates = inKernel(cpu, () => hand.look());
    const { evict, age } = policy.choose(candidates, Math.min(target, RECLAIM_BATCH_PAGES));
    hand.move(candidates[[...evict, ...age].reduce((most, index) => Math.max(most, index), -1)]);
    const slots: number[] = [];
    let [evicted, given] = [0, 0];
    for (const [space, vpns] of bySpace(candidates, age)) {
      inKernel(cpu, () => this.#isLive(space) && agePages(cpu, space, vpns));
    }
    for (const [space, vpns] of bySpace(candidates, withSharers(candidates, evict))) {
      inKernel(cpu, () => {
        if (!this.#isLive(space)) return;
        const { pages, slots: taken } = evictPages(cpu, space, vpns);
        evicted += pages;
        slots.push(...taken);
      });
    }
    // Unmapped pages belong to no group.
    if (group === 0) given += inKernel(cpu, () => this.#evictCache(target));
    if (swapper !== null) given += await swapper.write(slots);
    inKernel(cpu, () => shareFreeFrames(cpu));
    // Frames that others have allocated meanwhile still count as freed.
    const freed = Math.max(group === 0 ? given : evicted, this.#roomOf(group) - before);
    inKernel(cpu, () => {
      count(cpu, STAT.pagesScanned, candidates.length);
      count(cpu, STAT.pagesReclaimed, freed);
    });
    this.#idlePasses.set(group, freed > 0 ? 0 : this.#idleOf(group) + 1);
    return freed;
  }

  /** How many pages a pass should free. */
  #targetOf(group: number): number {
    const { machine } = this.#cpu;
    const least = RECLAIM_BATCH_PAGES / 8;
    const usage = groupUsage(machine, group);
    if (usage === null) return Math.max(least, highWatermark(machine) - freeFrames(machine));
    const share = Math.max(1, Math.min(least, usage.limitPages >> 3));
    return share + Math.max(0, usage.residentPages - usage.limitPages);
  }

  /** Pages that a group, or (0) the machine, could take on. */
  #roomOf(group: number): number {
    const usage = groupUsage(this.#cpu.machine, group);
    if (usage === null) return freeFrames(this.#cpu.machine);
    return usage.limitPages - usage.residentPages;
  }

  #handOf(group: number): ClockHand {
    const hand = this.#hands.get(group) ?? new ClockHand(this.#cpu, group);
    this.#hands.set(group, hand);
    return hand;
  }

  /** Frees unmapped pages of files and backends, except those just read. Returns how many. */
  #evictCache(target: number): number {
    const { cpu, objects } = this.#needs;
    const before = peek(cpu.words, BOOT.JIFFIES) - CACHE_GRACE_MS;
    let left = target;
    for (const object of objects()) {
      if (left <= 0) break;
      const { freed, nextPage: next } = evictObjectPages(
        cpu,
        object,
        this.#cacheHands.get(object) ?? 0,
        left,
        before,
      );
      this.#cacheHands.set(object, next);
      left -= freed;
    }
    return target - left;
  }

  /** Whether a space is still in use: processes end on this Worker, but between two awaits. */
  #isLive(space: number): boolean {
    return allPids(this.#cpu.machine).some((pid) => spaceOfPid(this.#cpu, pid) === space);
  }

  /** The process that would free most, and its pages; of a group, or (0) of all. Pid 0: none. */
  #victim(group: number): { pid: number; pages: number } {
    const cpu = this.#cpu;
    let victim = { pid: 0, pages: 0 };
    for (const pid of allPids(cpu.machine)) {
      const space = spaceOfPid(cpu, pid);
      if (space === 0 || (group !== 0 && groupOf(cpu, space) !== group)) continue;
      const pages = inKernel(cpu, () => badness(cpu, space));
      if (pages > victim.pages) victim = { pid, pages };
    }
    return victim;
  }

  /** The memory group of a process, if that is what it must be reclaimed from; else 0. */
  #fullGroup(pid: number): number {
    const cpu = this.#cpu;
    const space = spaceOfPid(cpu, pid);
    const group = space === 0 ? 0 : groupOf(cpu, space);
    return groupIsFull(cpu, group) ? group : 0;
  }

  #hasRoom(group: number): boolean {
    const { machine } = this.#cpu;
    if (group !== 0) return !groupIsFull(this.#cpu, group);
    return freeFrames(machine) >= highWatermark(machine);
  }
}

/** Lets pages grow older, so that the last idle pass finds none too young to free. */
function waitForAge(): Promise<void> {
  const ms = Math.ceil((2 * CACHE_GRACE_MS) / RECLAIM_IDLE_PASSES_MAX);
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** The candidates chosen, and those with the same frames: one is free when all let go of it. */
function withSharers(candidates: readonly Candidate[], chosen: readonly number[]): number[] {
  const frames = new Set(chosen.map((index) => candidates[index]?.pfn));
  return [...candidates.keys()].filter((index) => frames.has(candidates[index]?.pfn));
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
