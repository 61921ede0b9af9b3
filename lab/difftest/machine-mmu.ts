/** What the MMU of a CPU Worker and the kernel worker do about accesses, on one thread. */
import type { Cpu } from '../../kernel/machine/cpu.ts';
import * as F from '../../kernel/machine/fault-codes.ts';
import { handleFault } from '../../kernel/faults/fault.ts';
import { releaseFaultObject } from '../../kernel/faults/object-fault.ts';
import { beginPageIn, finishPageIn } from '../../kernel/faults/page-in.ts';
import { walk } from '../../kernel/mmu/walk.ts';
import { peekEntry } from '../../kernel/paging/table.ts';
import { tlbFlushAll } from '../../kernel/machine/tlb.ts';
import type { Tlb } from '../../kernel/machine/tlb.ts';
import { FAULT_RETRIES_MAX, PAGE_SIZE, USER_SPACE_END } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { pfnOf } from '../../shared/pte.ts';
import {
  BUS_ADRERR,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGKILL,
  SIGSEGV,
} from '../../shared/abi/signals.ts';

export class MachineMmu {
  readonly #cpu: Cpu;
  readonly #space: number;
  readonly #tlb: Tlb;

  /** `tlb` is only walked with. */
  constructor(cpu: Cpu, space: number, tlb: Tlb) {
    this.#cpu = cpu;
    this.#space = space;
    tlbFlushAll(tlb);
    tlb.space = space;
    this.#tlb = tlb;
  }

  /** Where in the frames' bytes an access ends, or -(signal * 256 + code). As the MMU does it. */
  access(address: number, write: boolean): number {
    const cpu = this.#cpu;
    if (address < 0 || address >= USER_SPACE_END) return -(SIGSEGV * 256 + SEGV_MAPERR);
    const vpn = Math.floor(address / PAGE_SIZE);
    for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {
      if (walk(cpu, this.#tlb, vpn, write)) {
        const pfn = pfnOf(peekEntry(cpu, this.#space, vpn));
        return pfn * PAGE_SIZE + (address % PAGE_SIZE);
      }
      const refusal = this.#fault(vpn, write);
      if (refusal !== 0) return refusal;
    }
    return panic('difftest: a fault is resolved again and again', address);
  }

  #fault(vpn: number, write: boolean): number {
    switch (handleFault(this.#cpu, this.#space, vpn, write)) {
      case F.FAULT_DONE:
        return 0;
      case F.FAULT_WAIT:
        supplyPage(this.#cpu);
        return 0;
      case F.FAULT_MAPERR:
        return -(SIGSEGV * 256 + SEGV_MAPERR);
      case F.FAULT_ACCERR:
        return -(SIGSEGV * 256 + SEGV_ACCERR);
      case F.FAULT_BUS:
        return -(SIGBUS * 256 + BUS_ADRERR);
      default:
        return -(SIGKILL * 256);
    }
  }
}

/** No file here has contents of its own: a page that must be read is zero. */
export function supplyPage(cpu: Cpu): void {
  const { faultObject: object, faultPage: page } = cpu;
  releaseFaultObject(cpu, object);
  const pfn = beginPageIn(cpu);
  if (pfn === 0 || !finishPageIn(cpu, object, page, pfn)) panic('difftest: no memory', page);
}
