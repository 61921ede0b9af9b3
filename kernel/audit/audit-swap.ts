/** The audit of the swap map: slots against the entries that name them and the frames they have. */
import { peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as SWAP from '../../shared/layout/swap.ts';
import type { Pfn, SwapSlot, WordIndex } from '../../shared/units.ts';
import type { AuditLedger } from './audit-ledger.ts';
import type { Cpu } from '../machine/cpu.ts';
import { frameState } from '../frames/buddy.ts';
import { frameField } from '../machine/machine.ts';
import { slotAt } from '../objects/swap-map.ts';

/** After the spaces, which count the entries that name each slot. */
export function auditSwap(cpu: Cpu, ledger: AuditLedger): void {
  const { machine, words } = cpu;
  const high = peek(words, BOOT.SWAP_HIGH);
  let used = 0;
  for (let slot = 1; slot <= high; slot++) {
    const at = slotAt(machine, slot);
    const refs = peek(words, at + SWAP.REFS);
    const users = ledger.slotUsers.get(slot) ?? 0;
    ledger.check(refs === users, `swap slot ${slot}: ${refs} references, ${users} entries`);
    const state = peek(words, at + SWAP.STATE);
    ledger.check((state === SWAP.FREE) === (refs === 0), `swap slot ${slot}: state ${state}`);
    auditCached(cpu, ledger, slot, at);
    if (refs > 0) used++;
  }
  for (const slot of ledger.slotUsers.keys()) {
    ledger.check(slot >= 1 && slot <= high, `swap slot ${slot} is named but was never taken`);
  }
  const counted = peek(words, BOOT.SWAP_USED);
  ledger.check(counted === used, `swap slots: counter ${counted}, used ${used}`);
  auditFreeSlots(cpu, ledger, high - used);
  ledger.tally('swapSlots', used);
}

/** A slot's frame: in use, referenced by the map, and pointing back to the slot. */
function auditCached(cpu: Cpu, ledger: AuditLedger, slot: SwapSlot, at: WordIndex): void {
  const { machine, words } = cpu;
  const pfn: Pfn = peek(words, at + SWAP.PFN);
  const state = peek(words, at + SWAP.STATE);
  if (pfn === 0) {
    const lost = state === SWAP.DIRTY || state === SWAP.WRITING;
    ledger.check(!lost, `swap slot ${slot}: not written, but its frame is gone`);
    return;
  }
  ledger.check(state !== SWAP.FREE, `swap slot ${slot}: free with frame ${pfn}`);
  const isUsed = pfn < machine.frames && frameState(machine, pfn) === FRAME.USED;
  ledger.check(isUsed, `swap slot ${slot}: frame ${pfn} is not in use`);
  if (!isUsed) return;
  const back = peek(words, frameField(machine, pfn, FRAME.AUX));
  ledger.check(back === slot, `swap slot ${slot}: frame ${pfn} says slot ${back}`);
  ledger.refer(pfn);
}

function auditFreeSlots(cpu: Cpu, ledger: AuditLedger, expected: number): void {
  const { machine, words } = cpu;
  let length = 0;
  let slot: SwapSlot = peek(words, BOOT.SWAP_FREE);
  while (slot !== 0 && length <= expected) {
    length++;
    slot = peek(words, slotAt(machine, slot) + SWAP.NEXT);
  }
  ledger.check(length === expected, `swap free list: ${length} slots, expected ${expected}`);
}
