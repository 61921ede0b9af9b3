/**
 * Sleeps that their time limit has ended. A CPU that then gets elsewhere no longer waits for what
 * it waited for: somebody had brought that about and should have woken it.
 */
import { TASKS_MAX } from '../runtime/task.ts';
import type { Task } from '../runtime/task.ts';

/** Sleeps that end so, in one execution. */
const LAPSES_MAX = 20;
/** Sites count from 1. */
export const NO_SITE = 0;

export class Lapses {
  count = 0;
  /** By CPU, the site of such a sleep, until the CPU sleeps again or its operation ends. */
  readonly sites: Int32Array = new Int32Array(TASKS_MAX);

  reset(): void {
    this.count = 0;
    this.sites.fill(NO_SITE);
  }

  /** False when there were too many. */
  add({ id, site }: Task): boolean {
    this.count++;
    this.sites[id] = site;
    return this.count <= LAPSES_MAX;
  }

  /** Where the CPU's last such sleep was, which is over now; NO_SITE for none. */
  end(id: number): number {
    const site = this.sites[id] as number;
    this.sites[id] = NO_SITE;
    return site;
  }
}
