/** MAP_POPULATE: faults pages in ahead of their use. */
import { peek } from '../../shared/atomics.ts';
import * as L from '../../shared/layout.ts';
import * as pte from '../../shared/pte.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { peekEntry } from '../paging/table.ts';
import { handleFault } from './fault.ts';
import { FAULT_DEVICE, FAULT_DONE, FAULT_WAIT } from './fault-codes.ts';
import { releaseFaultObject } from './object-fault.ts';

/**
 * Faults in the pages [vpn, end) of a process. Returns where it stopped: `end`, or the page for
 * which the kernel worker must supply `cpu.faultPage` of `cpu.faultObject` (with a reference). A
 * refused page ends it quietly, as Linux does.
 */
export function populate(cpu: Cpu, proc: number, vpn: number, end: number): number {
  const space = peek(cpu.words, proc + L.P_SPACE);
  for (let page = vpn; page < end; page++) {
    const outcome = handleFault(cpu, space, page, wantsWrite(peekEntry(cpu, space, page)));
    if (outcome === FAULT_WAIT) return page;
    if (outcome === FAULT_DEVICE) releaseFaultObject(cpu, cpu.faultObject);
    if (outcome !== FAULT_DONE) return end;
  }
  return end;
}

/** Linux's rule (populate_vma_page_range): private writable pages are made writable at once. */
function wantsWrite(entry: number): boolean {
  return (pte.logicalRwx(entry) & pte.PTE_W) !== 0 && (entry & pte.PTE_SHARED) === 0;
}
