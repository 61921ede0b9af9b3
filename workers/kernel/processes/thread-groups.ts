/**
 * Thread groups: the processes that CLONE_THREAD makes of one, which end as one. A process without
 * threads is a group of itself.
 *
 * Guarantees: the group's end is known when its last thread is gone, and is what ended all of it
 * (exit_group, a fatal signal), else what its leader ended with. While one thread calls exec, the
 * ends of the others are not the group's.
 */
import type { WireStatus } from '../../../shared/wire.ts';

interface Group {
  readonly live: Set<number>;
  /** The thread whose end is the group's: the leader, or the one that called exec. */
  speaker: number;
  spoken: WireStatus | null;
  /** What ends all threads. */
  ending: WireStatus | null;
  /** The thread that is alone after exec. */
  execing: number | null;
  whenAlone: (() => void) | null;
}

export class ThreadGroups {
  /** By the leader's pid. */
  readonly #groups = new Map<number, Group>();

  join(leader: number, pid: number): void {
    const group = this.#groups.get(leader);
    if (group !== undefined) {
      group.live.add(pid);
      return;
    }
    const live = new Set([pid]);
    const speaker = leader;
    const none = { spoken: null, ending: null, execing: null, whenAlone: null };
    this.#groups.set(leader, { live, speaker, ...none });
  }

  /** A thread that runs: the leader if it does. Undefined when none does. */
  anyOf(leader: number): number | undefined {
    const live = this.#groups.get(leader)?.live;
    return live?.has(leader) === true ? leader : live?.values().next().value;
  }

  /** The threads that run. */
  threadsOf(leader: number): readonly number[] {
    return [...(this.#groups.get(leader)?.live ?? [])];
  }

  /** Whether its threads are being ended, so that no new one may begin. */
  isEnding(leader: number): boolean {
    const group = this.#groups.get(leader);
    return group === undefined || group.ending !== null || group.execing !== null;
  }

  /** A thread is gone. How the group ended, if it was the last one. */
  leave(leader: number, pid: number, status: WireStatus): WireStatus | null {
    const group = this.#groups.get(leader);
    if (group === undefined || !group.live.delete(pid)) return null;
    if (pid === group.speaker) group.spoken = status;
    if (group.live.size <= 1) group.whenAlone?.();
    if (group.live.size > 0) return null;
    this.#groups.delete(leader);
    return group.ending ?? group.spoken ?? status;
  }

  /** `pid` ends its whole group, unless that is ending already. The threads still to be ended. */
  end(leader: number, pid: number, status: WireStatus): number[] {
    const group = this.#groups.get(leader);
    if (group === undefined || group.ending !== null) return [];
    if (group.execing !== null && group.execing !== pid) return [];
    group.ending = status;
    return [...group.live];
  }

  /** `pid` calls exec: the others, which must end. Null when the group is ending. */
  beginExec(leader: number, pid: number): number[] | null {
    const group = this.#groups.get(leader);
    if (group === undefined || this.isEnding(leader)) return null;
    group.execing = pid;
    return [...group.live].filter((thread) => thread !== pid);
  }

  /** Resolves when at most one thread is left. */
  alone(leader: number): Promise<void> {
    const group = this.#groups.get(leader);
    if (group === undefined || group.live.size <= 1) return Promise.resolve();
    return new Promise((resolve) => {
      group.whenAlone = resolve;
    });
  }

  /** exec has come to its end; from now on the end of `pid` is the group's. */
  endExec(leader: number, pid: number): void {
    const group = this.#groups.get(leader);
    if (group === undefined) return;
    group.execing = null;
    group.whenAlone = null;
    group.speaker = pid;
  }
}
