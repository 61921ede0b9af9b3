/**
 * Reclaim: keeps frames free, in the background below the low watermark (as kswapd does), and
 * directly for a fault or syscall that found none.
 *
 *     pass            looks at resident pages from the hand on, lets the policy choose, clears
 *                     accessed bits, takes pages out of their spaces, writes what must be written,
 *                     frees those and pages of files that nobody maps
 *     direct reclaim  passes until there is a frame. For a process whose memory group is full all
 *                     passes keep to that group
 *     OOM kill        when whole rounds over all pages free nothing (reclaim-rounds.ts), a fault
 *                     has a process killed
 *
 * Guarantees: one pass at a time; no lock is held while the store is written; a fault that waits is
 * answered in the end, because so many rounds free a frame or end a process.
 */
import {
  LOG_OOM_KILL,
  STAT,
  agePages,
  allPids,
  count,
  evictPages,
  freeFrames,
  groupIsFull,
  groupOf,
  groupUsage,
  highWatermark,
  logEvent,
  memoryIsShort,
  residentPages,
  shareFreeFrames,
  spaceOfPid,
} from '../../../kernel/index.ts';
import type { Candidate, Choice, Cpu, Evicted, ReclaimPolicy } from '../../../kernel/index.ts';
import { peek } from '../../../shared/atomics.ts';
import * as BOOT from '../../../shared/layout/boot.ts';
import { RECLAIM_BATCH_PAGES } from '../../../shared/limits.ts';
import { CACHE_GRACE_MS, CacheHands } from './cache-hands.ts';
import { bySpace, withSharers } from './chosen-pages.ts';
import { ClockHand } from './clock-hand.ts';
import { inKernel } from '../in-kernel.ts';
import type { MemoryPressure } from './memory-pressure.ts';
import { ReclaimRounds } from './reclaim-rounds.ts';
import type { Swapper } from './swapper.ts';
import { findVictim } from './victim.ts';

/** Pages tried in one pass when memory is all but exhausted and swap is full. */
const RECLAIM_FORCED_PAGES = 2048;
/** How long a pass lets pages be used between two looks at their accessed bits. */
const AGE_MS: number = CACHE_GRACE_MS / 2;

export interface ReclaimerNeeds {
  readonly cpu: Cpu;
  readonly policy: ReclaimPolicy;
  /** Resident pages that one pass looks at, RECLAIM_SCAN_PAGES but for tests. */
  readonly scanPages: number;
  readonly swapper: Pick<Swapper, 'write' | 'writes'> | null;
  /** Writes dirty pages of files back to the host, so that they can go. */
  readonly writeBack: { readonly isNeeded: boolean; syncAll(clean: boolean): Promise<number> };
  readonly pressure: MemoryPressure;
  /** Blocks of the objects that the host registered. */
  readonly objects: () => readonly number[];
  /** Ends a process for want of memory; resolves when its memory is free. */
  readonly kill: (pid: number) => Promise<void>;
  /** Lets programs run, messages and traps in, for `ms` or (0) for a turn of the event loop. */
  readonly pause: (ms: number) => Promise<void>;
}

export class Reclaimer {
  readonly #cpu: Cpu;
  readonly #needs: ReclaimerNeeds;
  readonly #cache: CacheHands;
  /** Where it begins among processes' pages, for each memory group and (0) for all. */
  readonly #hands = new Map<number, ClockHand>();
  readonly #rounds = new Map<number, ReclaimRounds>();
  /** The pass under way, which all that wait for the same group share. */
  #passing: { readonly group: number; readonly freed: Promise<number> } | null = null;
  /** The OOM kill under way: nobody else is killed before its memory is free. */
  #killing: Promise<unknown> | null = null;

  constructor(needs: ReclaimerNeeds) {
    this.#cpu = needs.cpu;
    this.#needs = needs;
    this.#cache = new CacheHands(needs.cpu, needs.objects);
  }

  /** Starts a pass when memory is short. Called at every tick. */
  reclaimInBackground(): void {
    if (this.#passing !== null || !memoryIsShort(this.#cpu.machine)) return;
    // A pass that frees nothing will not free more ten milliseconds later.
    if (this.#roundsOf(0).isExhausted(0)) return;
    void this.#pass(0, false);
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
    // Frames were freed meanwhile, or the failure was injected.
    if (this.#hasRoom(group) || (await this.#reclaim(group))) return true;
    return this.#kill(pid, group);
  }

  /** Frees frames for a syscall; true when some became free. Kills no process. */
  directReclaim(pid: number): Promise<boolean> {
    return this.#needs.pressure.wait(this.#reclaim(this.#fullGroup(pid)));
  }

  /** Passes until one frees something, or there is nothing to be freed: false. */
  async #reclaim(group: number): Promise<boolean> {
    const rounds = this.#roundsOf(group);
    // What passes found before this one was asked for may have changed since.
    const begun = rounds.now;
    while (!rounds.isExhausted(begun)) {
      const isForced = rounds.isForced(begun);
      if ((await this.#pass(group, isForced)) > 0 || this.#hasRoom(group)) return true;
      await this.#needs.pause(isForced ? 0 : AGE_MS);
    }
    return false;
  }

  /** Kills for a fault of `pid`. True: it is worth trying again; false: the victim is `pid`. */
  async #kill(pid: number, group: number): Promise<boolean> {
    if (this.#killing !== null) {
      await this.#killing;
      return true;
    }
    const victim = findVictim(this.#cpu, group);
    if (victim === null) return false;
    const others = victim.pids.filter((user) => user !== pid);
    this.#roundsOf(group).freed();
    if (others.length > 0) {
      const limit = groupUsage(this.#cpu.machine, group)?.limitPages ?? 0;
      inKernel(this.#cpu, () => {
        logEvent(this.#cpu, LOG_OOM_KILL, others[0] as number, victim.pages, limit);
        count(this.#cpu, STAT.oomKills, 1);
      });
      this.#killing = Promise.all(others.map((user) => this.#needs.kill(user)));
      await this.#killing.finally(() => {
        this.#killing = null;
      });
    }
    return others.length === victim.pids.length;
  }

  #roundsOf(group: number): ReclaimRounds {
    const rounds = this.#rounds.get(group) ?? new ReclaimRounds();
    this.#rounds.set(group, rounds);
    return rounds;
  }

  /**
   * Pages freed, for a group or (0) for all. Joins such a pass that is under way. `isForced`: takes
   * pages in turn, whatever the policy says.
   */
  async #pass(group: number, isForced: boolean): Promise<number> {
    while (this.#passing !== null && this.#passing.group !== group) await this.#passing.freed;
    if (this.#passing === null) {
      const freed = this.#run(group, isForced).finally(() => {
        this.#passing = null;
      });
      this.#passing = { group, freed };
    }
    return this.#passing.freed;
  }

  async #run(group: number, isForced: boolean): Promise<number> {
    const cpu = this.#cpu;
    const { swapper, writeBack } = this.#needs;
    // What lies in this CPU's cache was free before, and must not count as freed by this pass.
    inKernel(cpu, () => shareFreeFrames(cpu));
    const before = this.#roomOf(group);
    const hand = this.#handOf(group);
    const rounds = this.#roundsOf(group);
    // Pages of files that must be written back before they can go, when no others are left.
    if (rounds.since(0) > 0 && writeBack.isNeeded) await writeBack.syncAll(true);
    const candidates = inKernel(cpu, () => hand.look());
    const { evict, age } = this.#choose(candidates, group, isForced);
    hand.move(candidates[[...evict, ...age].reduce((most, index) => Math.max(most, index), -1)]);
    for (const [space, vpns] of bySpace(candidates, age)) {
      inKernel(cpu, () => this.#isLive(space) && agePages(cpu, space, vpns));
    }
    const { pages, slots } = this.#evict(candidates, evict);
    // Unmapped pages belong to no group.
    const cache = group === 0 ? inKernel(cpu, () => this.#cache.evict(this.#targetOf(0))) : null;
    const writesBefore = swapper?.writes;
    const written = swapper === null ? 0 : await swapper.write(slots);
    inKernel(cpu, () => shareFreeFrames(cpu));
    // Frames that others have allocated meanwhile still count as freed.
    const given = group === 0 ? written + (cache?.freed ?? 0) : pages;
    const freed = Math.max(given, this.#roomOf(group) - before);
    inKernel(cpu, () => {
      count(cpu, STAT.pagesScanned, candidates.length);
      count(cpu, STAT.pagesReclaimed, freed);
    });
    if (freed > 0) rounds.freed();
    else if (!cache?.young) {
      const resident = this.#residentOf(candidates, group);
      rounds.passed(evict.length + age.length, resident, swapper?.writes !== writesBefore);
    }
    return freed;
  }

  /** What the policy chooses; without it, the next pages of the hand. */
  #choose(candidates: readonly Candidate[], group: number, isForced: boolean): Choice {
    const wanted = Math.min(this.#targetOf(group), RECLAIM_BATCH_PAGES);
    if (!isForced) return this.#needs.policy.choose(candidates, wanted);
    const { machine } = this.#cpu;
    // With no slot left only pages of files can go, which may be far between.
    const isFull = peek(machine.words, BOOT.SWAP_USED) === machine.swapSlots;
    const count = Math.min(candidates.length, isFull ? RECLAIM_FORCED_PAGES : wanted);
    return { evict: Array.from({ length: count }, (_, index) => index), age: [] };
  }

  /** Takes the chosen pages, and those with the same frames, out of their spaces. */
  #evict(candidates: readonly Candidate[], chosen: readonly number[]): Evicted {
    const cpu = this.#cpu;
    const slots: number[] = [];
    let pages = 0;
    for (const [space, vpns] of bySpace(candidates, withSharers(candidates, chosen))) {
      inKernel(cpu, () => {
        if (!this.#isLive(space)) return;
        const evicted = evictPages(cpu, space, vpns);
        pages += evicted.pages;
        slots.push(...evicted.slots);
      });
    }
    return { pages, slots };
  }

  /** Resident pages that the hand goes round: all candidates, unless a look cannot hold them. */
  #residentOf(candidates: readonly Candidate[], group: number): number {
    const { machine } = this.#cpu;
    if (candidates.length < this.#needs.scanPages) return candidates.length;
    if (group !== 0) return groupUsage(machine, group)?.residentPages ?? candidates.length;
    const spaces = new Set(allPids(machine).map((pid) => spaceOfPid(this.#cpu, pid)));
    spaces.delete(0);
    return [...spaces].reduce((sum, space) => sum + residentPages(machine, space), 0);
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
    const hand = this.#hands.get(group) ?? new ClockHand(this.#cpu, group, this.#needs.scanPages);
    this.#hands.set(group, hand);
    return hand;
  }

  /** Whether a space is still in use: processes end on this Worker, but between two awaits. */
  #isLive(space: number): boolean {
    return allPids(this.#cpu.machine).some((pid) => spaceOfPid(this.#cpu, pid) === space);
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
