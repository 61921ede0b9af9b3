/**
 * A CPU as kernel code sees it: which block of the machine is its own, and scratch objects that
 * spare the hot paths an allocation. Private to the Worker that runs it.
 */
import { peek, poke } from '../../shared/atomics.ts';
import type { Words } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import type { StatName } from '../../shared/layout/cpu.ts';
import { assert } from '../../shared/panic.ts';
import type {
  ObjectBlock,
  ObjectPage,
  Pte,
  RecordId,
  VirtAddr,
  Vpn,
  WordIndex,
} from '../../shared/units.ts';
import type { BackendResult, PageTableLike } from '../areas/mapping-backend.ts';
import type { Compiled } from './compiled.ts';
import { Cursor } from './cursor.ts';
import type { Machine } from './machine.ts';
import { PRIVATE_BYTES, privateBase, privateMemory } from './private-memory.ts';
import { Tlb } from './tlb.ts';

/** A CPU, for the Worker that runs it. */
export interface Cpu {
  /** The machine that it belongs to. */
  readonly machine: Machine;
  /** The machine's words. */
  readonly words: Words;
  /** 0 is the kernel worker. */
  readonly id: number;
  /** First word of its block. */
  readonly base: WordIndex;
  /** The cursor of the fault being handled; a CPU handles one at a time. */
  readonly faultCursor: Cursor;
  /** The cursor of the range operation in progress. */
  readonly rangeCursor: Cursor;
  /**
   * The object that the last fault waits for, or the device it hit, and the page of it. For
   * SWAP_STORE the page is a slot, hence a plain number.
   */
  faultObject: ObjectBlock;
  /** The page of that object, or the slot. */
  faultPage: number;
  /** Whether the current or last syscall found no free frame, or its memory group full. */
  lacksFrame: boolean;
  /**
   * VPN at which the last syscall stopped, if it faults in pages of its range without keeping them:
   * a retry begins there. 0 for none.
   */
  stoppedAtVpn: Vpn;
  /** What may still be done in this stay in the kernel: give-way.ts. */
  batchLeft: number;
  /** -ENOMEM if the part that is done had a hole, for a syscall that goes on at `stoppedAtVpn`. */
  carriedErrno: number;
  /** VPNs [start, end) to fault in after the last syscall, which has succeeded. */
  populateStartVpn: Vpn;
  /** The end of those VPNs; 0 for none. */
  populateEndVpn: Vpn;
  /** Pages of objects, [first, end), to write back before the last syscall is complete. */
  readonly writeBacks: { object: ObjectBlock; firstPage: ObjectPage; endPage: ObjectPage }[];
  /**
   * Mapping records that an area no longer names. Their references go after the flush: whoever sees
   * an object without records may conclude that no CPU uses its pages through a mapping.
   */
  readonly droppedRecords: RecordId[];
  /** Likewise the records through which an area was a writer (objects/seals.ts), and is no more. */
  readonly droppedWriters: RecordId[];
  /** The locks it holds, in a checked machine (held-locks.ts). */
  readonly heldLocks: number[];
  /** The translation cache of this CPU's user mode. */
  readonly tlb: Tlb;
  /** Memory for the compiled build's cursor. */
  readonly ownStack: Int32Array;
  /** The compiled build's functions, null where there are none: then JavaScript's are called. */
  compiled: Compiled | null;
  /** The user's backend modules; null except in the kernel worker. */
  userHooks: UserHooks | null;
}

/** What an area backed by a user's module asks it, by the host number of its object. */
export interface UserHooks {
  /** Before a range is mapped, in bytes, with PROT_ flags. */
  map(host: number, address: VirtAddr, size: number, prot: number): boolean;
  /** Before a range is unmapped. */
  unmap(host: number, address: VirtAddr, size: number): boolean;
  /** Before a range gets other PROT_ flags. */
  protect(host: number, address: VirtAddr, size: number, prot: number): boolean;
  /** Lets a module that arranges its pages itself change a range. */
  changeMapping(change: MappingChange): BackendResult;
  /** An address space has ended: nothing is mapped there any more. */
  endSpace(spaceId: number): void;
}

/** What a module is to do that arranges its pages itself (backends/arranged.ts). */
export interface MappingChange {
  /** The method of its MappingBackend. */
  readonly method: 'map' | 'unmap' | 'protect';
  /** The host number of its object. */
  readonly host: number;
  /** First byte of the range. */
  readonly address: VirtAddr;
  /** Bytes of the range. */
  readonly size: number;
  /** PROT_ flags that the range is to have; 0 for `unmap`. */
  readonly prot: number;
  /** The entry for an untouched page; 0 for `unmap`. */
  readonly reserved: Pte;
  /** The mapping record of the area. */
  readonly record: RecordId;
  /** The operation that is under way: a RangeOp. */
  readonly op: PageTableLike;
}

/** Makes the view of CPU `id`. The caller is the only Worker that runs it. */
export function attachCpu(machine: Machine, id: number): Cpu {
  assert(id >= 0 && id < machine.cpus, 'attachCpu: no such CPU', id);
  const at = privateBase(machine.totalWords) + id * PRIVATE_BYTES;
  const own = machine.memory === null ? privateMemory() : privateMemory(machine.buffer, at);
  return {
    machine,
    words: machine.words,
    id,
    base: machine.cpuBase + id * CPU.WORDS,
    faultCursor: new Cursor(),
    rangeCursor: new Cursor(),
    faultObject: 0,
    faultPage: 0,
    lacksFrame: false,
    stoppedAtVpn: 0,
    batchLeft: 0,
    carriedErrno: 0,
    populateStartVpn: 0,
    populateEndVpn: 0,
    writeBacks: [],
    droppedRecords: [],
    droppedWriters: [],
    heldLocks: [],
    tlb: new Tlb(own),
    ownStack: own.stack,
    compiled: null,
    userHooks: null,
  };
}

/** The counters' words in a CPU's block, by name; for `count`. */
export const STAT: Readonly<Record<StatName, number>> = Object.freeze(
  Object.fromEntries(CPU.STAT_NAMES.map((name, index) => [name, CPU.STATS + index])),
) as Record<StatName, number>;

/** Adds to one of the CPU's own counters. Only the owner writes them, so plain accesses suffice. */
export function count(cpu: Cpu, stat: number, amount: number): void {
  const at = cpu.base + stat;
  poke(cpu.words, at, peek(cpu.words, at) + amount);
}
