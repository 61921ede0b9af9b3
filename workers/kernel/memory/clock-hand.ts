/**
 * Where reclaim looks next: a hand that goes round the resident pages of all processes, or of those
 * in one memory group. It rests just past the last page that was chosen.
 */
import { allPids, findCandidates, groupOf, spaceOfPid } from '../../../kernel/index.ts';
import type { Candidate, Cpu } from '../../../kernel/index.ts';
import { USER_PAGES } from '../../../shared/limits.ts';

export class ClockHand {
  readonly #cpu: Cpu;
  readonly #group: number;
  readonly #most: number;
  #pid = 0;
  #vpn = 0;

  /** `group`: the block of a memory group, or 0 for all processes. `most`: pages of one look. */
  constructor(cpu: Cpu, group: number, most: number) {
    this.#cpu = cpu;
    this.#group = group;
    this.#most = most;
  }

  /** Resident pages once round from the hand, as many as one look takes. Kernel mode. */
  look(): Candidate[] {
    const found: Candidate[] = [];
    const pids = allPids(this.#cpu.machine).sort((left, right) => left - right);
    const from = pids.findIndex((pid) => pid >= this.#pid);
    const first = Math.max(0, from);
    const seen = new Set<number>();
    for (let i = 0; i < pids.length && found.length < this.#most; i++) {
      const pid = pids[(first + i) % pids.length] as number;
      const space = this.#space(pid);
      if (space === 0 || seen.has(space)) continue;
      seen.add(space);
      const vpn = pid === this.#pid ? this.#vpn : 0;
      findCandidates(this.#cpu, space, vpn, this.#most - found.length, found);
    }
    // The part of the first space that lies before the hand comes last.
    const space = this.#space(this.#pid);
    if (space !== 0 && this.#vpn > 0 && found.length < this.#most) {
      const rest: Candidate[] = [];
      findCandidates(this.#cpu, space, 0, this.#most - found.length, rest);
      found.push(...rest.filter(({ vpn }) => vpn < this.#vpn));
    }
    return found;
  }

  /** Moves on past the last of the pages that were touched; without any, stays. */
  move(last: Candidate | undefined): void {
    if (last === undefined) return;
    const pids = allPids(this.#cpu.machine);
    this.#pid = pids.find((pid) => this.#space(pid) === last.space) ?? 0;
    this.#vpn = Math.min(last.vpn + 1, USER_PAGES - 1);
  }

  /** The space of a process that the hand goes over; 0 for others. */
  #space(pid: number): number {
    const cpu = this.#cpu;
    const space = spaceOfPid(cpu, pid);
    return space !== 0 && (this.#group === 0 || groupOf(cpu, space) === this.#group) ? space : 0;
  }
}
