/**
 * Which pages to evict when memory is short: a part of the machine that is meant to be replaced. A
 * policy runs only in the kernel worker; it is shown pages and chooses, without shared memory.
 */
import type { Candidate } from './candidates.ts';

/** What a policy has chosen, as indices of the candidates. */
export interface Choice {
  /** Indexes of the candidates to take out of memory. */
  readonly evict: readonly number[];
  /** Indexes of those whose accessed bit is to be cleared. */
  readonly age: readonly number[];
}

/** One per machine; it may keep state from call to call. */
export interface ReclaimPolicy {
  /** Shown in reports. */
  readonly name: string;
  /**
   * Chooses among resident pages, in the order of a hand that goes round all spaces, so that about
   * `wanted` go. Fewer are fine: the hand goes on, and the call comes again.
   */
  choose(candidates: readonly Candidate[], wanted: number): Choice;
}

/** The names of the built-in policies. */
export const RECLAIM_POLICY_NAMES = ['clock', 'fifo', 'random'] as const;
/** The name of a built-in policy. */
export type ReclaimPolicyName = (typeof RECLAIM_POLICY_NAMES)[number];

/** Second chance: a page that was used since the hand last passed is spared once. */
function clock(): ReclaimPolicy {
  return {
    name: 'clock',
    choose(candidates, wanted) {
      const evict: number[] = [];
      const age: number[] = [];
      for (let i = 0; i < candidates.length && evict.length < wanted; i++) {
        (candidates[i]?.accessed ? age : evict).push(i);
      }
      return { evict, age };
    },
  };
}

/** Longest in memory first, used or not. Shows Belady's anomaly. */
function fifo(): ReclaimPolicy {
  return {
    name: 'fifo',
    choose(candidates, wanted) {
      const order = candidates.map((_, index) => index);
      const loaded = (index: number): number => candidates[index]?.loadedMs ?? 0;
      order.sort((left, right) => loaded(left) - loaded(right) || left - right);
      return { evict: order.slice(0, wanted), age: [] };
    },
  };
}

/** Any page: the baseline for every other policy. */
function random(below: (bound: number) => number): ReclaimPolicy {
  return {
    name: 'random',
    choose(candidates, wanted) {
      const order = candidates.map((_, index) => index);
      const count = Math.min(wanted, order.length);
      for (let i = 0; i < count; i++) {
        const j = i + below(order.length - i);
        [order[i], order[j]] = [order[j] as number, order[i] as number];
      }
      return { evict: order.slice(0, count), age: [] };
    },
  };
}

type Maker = (below: (bound: number) => number) => ReclaimPolicy;
const MAKERS: Readonly<Record<ReclaimPolicyName, Maker>> = { clock, fifo, random };

/** A built-in policy, or null. `below` gives random integers from 0 to a bound - 1. */
export function reclaimPolicy(
  name: string,
  below: (bound: number) => number,
): ReclaimPolicy | null {
  if (!Object.hasOwn(MAKERS, name)) return null;
  const make = MAKERS[name as ReclaimPolicyName];
  return make(below);
}
