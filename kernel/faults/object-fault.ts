/**
 * Faults on pages of memory objects: the shared object, the file, the user's backend.
 *
 * Guarantees: all mappings of a shared page meet at one frame; a private mapping reads the
 * object's frame and copies it at the first write.
 * Locking: the protocol's page lock; the object's lock inside. A truncation first removes pages
 * from the index and then clears the entries of every mapping under the range's lock, so it sees
 * any entry made here for a page that was found before.
 */
import { compareExchange, peek } from '../../shared/atomics.ts';
import * as RECORD from '../../shared/layout/record.ts';
import * as pte from '../../shared/pte.ts';
import type { ObjectBlock, Pte, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import { copyFrame } from './cow.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { FAULT_BUS, FAULT_DONE, FAULT_NO_MEMORY, FAULT_WAIT } from '../machine/fault-codes.ts';
import { putFrame } from '../frames/frames.ts';
import { getObject, putObject } from '../objects/object.ts';
import { PAGE_ABSENT, PAGE_BEYOND, PAGE_NO_MEMORY, getPage } from '../objects/pages.ts';
import { addResident } from '../frames/memory-group.ts';
import { recordAt } from '../objects/record.ts';
import { SWAP_STORE } from './swap-in.ts';

/** Resolves a fault whose reserved entry names a mapping record. */
export function resolveObject(
  cpu: Cpu,
  space: SpaceBlock,
  at: WordIndex,
  entry: Pte,
  vpn: Vpn,
  write: boolean,
): number {
  const { words, machine } = cpu;
  const record = recordAt(machine, pte.reservedRecord(entry));
  const object: ObjectBlock = peek(words, record + RECORD.OBJECT);
  const page = vpn + peek(words, record + RECORD.DELTA);
  const pfn = getPage(cpu, object, page);
  if (pfn === PAGE_BEYOND) return FAULT_BUS;
  if (pfn === PAGE_NO_MEMORY) return FAULT_NO_MEMORY;
  if (pfn === PAGE_ABSENT) {
    toObject(cpu, entry, vpn);
    return FAULT_WAIT;
  }
  const rwx = entry & pte.PTE_RWX;
  const marks = write ? pte.PTE_A | pte.PTE_D : pte.PTE_A;
  if ((entry & pte.PTE_SHARED) !== 0) {
    return enter(cpu, space, at, entry, pte.makeLeaf(pfn, rwx | pte.PTE_SHARED | marks));
  }
  if (write) {
    const copy = copyFrame(cpu, pfn);
    putFrame(cpu, pfn);
    if (copy === 0) return FAULT_NO_MEMORY;
    return enter(cpu, space, at, entry, pte.makeLeaf(copy, rwx | marks));
  }
  return enter(cpu, space, at, entry, pte.makeLeaf(pfn, pte.copyOnWriteBits(rwx) | marks));
}

/** Enters a leaf, which takes over the caller's reference to the frame. */
function enter(cpu: Cpu, space: SpaceBlock, at: WordIndex, entry: Pte, leaf: Pte): number {
  // ORDER: publishes the frame's contents. Under a protocol with parallel faults another may win.
  if (compareExchange(cpu.words, at, entry, leaf) === entry) {
    addResident(cpu, space, 1);
  } else {
    count(cpu, STAT.raceLosses, 1);
    putFrame(cpu, pte.pfnOf(leaf));
  }
  return FAULT_DONE;
}

/** Leaves object and page in the CPU's scratch, with a reference on the object. */
export function toObject(cpu: Cpu, entry: Pte, vpn: Vpn): void {
  const { words, machine } = cpu;
  const record = recordAt(machine, pte.reservedRecord(entry));
  cpu.faultObject = peek(words, record + RECORD.OBJECT);
  cpu.faultPage = vpn + peek(words, record + RECORD.DELTA);
  getObject(cpu, cpu.faultObject);
}

/** The end of a wait: the caller of FAULT_WAIT or FAULT_DEVICE drops its reference. */
export function releaseFaultObject(cpu: Cpu, object: ObjectBlock): void {
  if (object > SWAP_STORE) putObject(cpu, object);
}
