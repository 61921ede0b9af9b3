/** What a reclaim policy has chosen, as the kernel takes it: pages of one space after another. */
import type { Candidate } from '../../../kernel/index.ts';

/** The candidates chosen, and those with the same frames: one is free when all let go of it. */
export function withSharers(candidates: readonly Candidate[], chosen: readonly number[]): number[] {
  const frames = new Set(chosen.map((index) => candidates[index]?.pfn));
  return [...candidates.keys()].filter((index) => frames.has(candidates[index]?.pfn));
}

/** The pages chosen, by space, ascending. */
export function bySpace(
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
