/**
 * Page faults that the kernel worker resolves: all of them under `faults: 'remote'`, and those that
 * need a page from a file, a module or swap, or a frame that must be reclaimed first, under
 * 'local'.
 *
 * Guarantees: a fault whose process has ended meanwhile touches nothing. No lock is held while a
 * page is read. The answer FAULT_DONE means "walk again", as in the kernel's fault handler.
 */
import {
  FAULT_BUS,
  FAULT_DEVICE,
  FAULT_DONE,
  FAULT_NO_MEMORY,
  FAULT_WAIT,
  resolveFault,
  spaceOfPid,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { ENOMEM } from '../../../shared/abi/errno.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE } from '../../../shared/limits.ts';
import { panic } from '../../../shared/panic.ts';
import { inKernel } from '../in-kernel.ts';
import type { Turns } from '../turns.ts';
import type { PageSupply } from './page-supply.ts';
import type { Reclaimer } from './reclaimer.ts';
import { FRAME_REQUEST, fulfil, takePageRequest } from './page-request.ts';
import type { PageRequest } from './page-request.ts';

/** A fault's outcome, with the object and page that it waits for or the device it hit. */
interface Outcome extends PageRequest {
  readonly code: number;
}

const DONE: Outcome = { code: FAULT_DONE, ...FRAME_REQUEST };

export interface PagerNeeds {
  readonly cpu: Cpu;
  readonly supply: PageSupply;
  readonly reclaimer: Reclaimer;
  readonly turns: Turns;
}

export class Pager {
  readonly #cpu: Cpu;
  readonly #supply: PageSupply;
  readonly #reclaimer: Reclaimer;
  readonly #turns: Turns;

  constructor({ cpu, supply, reclaimer, turns }: PagerNeeds) {
    this.#cpu = cpu;
    this.#supply = supply;
    this.#reclaimer = reclaimer;
    this.#turns = turns;
  }

  /** Resolves a fault as far as it goes without waiting; the rest as a promise. FAULT_* code. */
  fault(pid: number, address: number, write: boolean): number | Promise<number> {
    const vpn = Math.floor(address / PAGE_SIZE);
    const outcome = this.#resolve(pid, vpn, write);
    const { code } = outcome;
    if (code === FAULT_WAIT || code === FAULT_NO_MEMORY) {
      return this.#wait(pid, vpn, write, outcome);
    }
    return code;
  }

  /** The device object and page behind an address; null when there is none (any more). */
  device(pid: number, address: number, write: boolean): PageRequest | null {
    const { code, object, page } = this.#resolve(pid, Math.floor(address / PAGE_SIZE), write);
    return code === FAULT_DEVICE ? { object, page } : null;
  }

  /** `major`: the fault has waited for its page. */
  #resolve(pid: number, vpn: number, write: boolean, major = false): Outcome {
    const cpu = this.#cpu;
    return inKernel(cpu, () => {
      const space = spaceOfPid(cpu, pid);
      if (space === 0) return DONE;
      const code = resolveFault(cpu, space, vpn, write, major);
      if (code !== FAULT_WAIT && code !== FAULT_DEVICE) return { code, ...FRAME_REQUEST };
      return { code, ...takePageRequest(cpu) };
    });
  }

  async #wait(pid: number, vpn: number, write: boolean, first: Outcome): Promise<number> {
    let outcome = first;
    let major = false;
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      major ||= outcome.code === FAULT_WAIT;
      const result = await fulfil(outcome, {
        supply: this.#supply,
        turns: this.#turns,
        reclaim: () => this.#reclaimer.directReclaimOrKill(pid),
      });
      if (result === -ENOMEM) return FAULT_NO_MEMORY;
      if (result < 0) return FAULT_BUS;
      outcome = this.#resolve(pid, vpn, write, major);
      if (outcome.code !== FAULT_WAIT && outcome.code !== FAULT_NO_MEMORY) return outcome.code;
    }
    return panic('Pager: a page is supplied again and again', pid, vpn);
  }
}
