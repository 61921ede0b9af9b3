/** Whom the OOM killer ends. */
import { allPids, badness, groupOf, spaceOfPid } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { inKernel } from '../in-kernel.ts';

export interface Victim {
  /** All processes that use the space: it is freed with the last of them (as in Linux). */
  readonly pids: readonly number[];
  /** Pages that their end frees. */
  readonly pages: number;
}

/** The users of the space whose end would free most, of a memory group, or (0) of all; or null. */
export function findVictim(cpu: Cpu, group: number): Victim | null {
  const users = new Map<number, number[]>();
  for (const pid of allPids(cpu.machine)) {
    const space = spaceOfPid(cpu, pid);
    if (space === 0 || (group !== 0 && groupOf(cpu, space) !== group)) continue;
    const pids = users.get(space);
    if (pids === undefined) users.set(space, [pid]);
    else pids.push(pid);
  }
  let victim: Victim | null = null;
  for (const [space, pids] of users) {
    const pages = inKernel(cpu, () => badness(cpu, space));
    if (pages > (victim?.pages ?? 0)) victim = { pids, pages };
  }
  return victim;
}
