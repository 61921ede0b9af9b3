/** What an audit has found out so far: expected references, places of frames, violations. */
import type { GroupBlock, ObjectBlock, Pfn, RecordId, SwapSlot } from '../../shared/units.ts';
import type { Machine } from '../machine/machine.ts';

/** What an audit has to know of the world outside the machine. */
export interface AuditOptions {
  /** Frames that the host is filling for a page-in at this moment. */
  readonly heldFrames?: readonly Pfn[];
  /** References that the host itself holds on objects: block to count. */
  readonly heldObjects?: ReadonlyMap<ObjectBlock, number>;
}

/** Most violations listed; the rest are only counted. */
const VIOLATIONS_LISTED = 100;

export class AuditLedger {
  readonly violations: string[] = [];
  readonly checked: Record<string, number> = {};
  /** References found to each frame: entries, page indexes, holders. */
  readonly references: Int32Array;
  /** Pins found of each frame that has some. */
  readonly pins: Map<Pfn, number> = new Map();
  /** 1 for frames whose place was found: free list, cache, limbo, table tree, slab, kernel. */
  readonly placed: Uint8Array;
  /** Areas that use a record, by record number. */
  readonly recordUsers: Map<RecordId, number> = new Map();
  /** Of these, shared ones that may write. */
  readonly recordWriters: Map<RecordId, number> = new Map();
  /** Areas that have a name, by its number. */
  readonly nameUsers: Map<number, number> = new Map();
  /** Entries that name a swap slot, by slot. */
  readonly slotUsers: Map<SwapSlot, number> = new Map();
  /** What the spaces found count in their memory group, by its block. */
  readonly groups: Map<GroupBlock, { spaces: number; resident: number }> = new Map();
  private suppressed = 0;

  constructor(machine: Machine) {
    this.references = new Int32Array(machine.frames);
    this.placed = new Uint8Array(machine.frames);
  }

  check(holds: boolean, violation: string): void {
    this.tally('checks', 1);
    if (holds) return;
    if (this.violations.length < VIOLATIONS_LISTED) this.violations.push(violation);
    else this.violations[VIOLATIONS_LISTED] = `and ${++this.suppressed} more`;
  }

  tally(kind: string, amount: number): void {
    this.checked[kind] = (this.checked[kind] ?? 0) + amount;
  }

  /** A reference to a frame. */
  refer(pfn: Pfn): void {
    this.references[pfn] = (this.references[pfn] ?? 0) + 1;
  }

  /** A frame held for a moment from outside the machine. */
  hold(pfn: Pfn): void {
    this.refer(pfn);
  }

  /** A frame found in its one place. */
  place(pfn: Pfn, where: string): void {
    this.check(this.placed[pfn] === 0, `frame ${pfn} is in two places, the second is ${where}`);
    this.placed[pfn] = 1;
  }

  useSlot(slot: SwapSlot): void {
    this.slotUsers.set(slot, (this.slotUsers.get(slot) ?? 0) + 1);
  }

  inGroup(group: GroupBlock, resident: number): void {
    if (group === 0) return;
    const sum = this.groups.get(group) ?? { spaces: 0, resident: 0 };
    this.groups.set(group, { spaces: sum.spaces + 1, resident: sum.resident + resident });
  }

  useName(id: number): void {
    this.nameUsers.set(id, (this.nameUsers.get(id) ?? 0) + 1);
  }

  useRecord(record: RecordId, writes: boolean): void {
    if (record === 0) return;
    this.recordUsers.set(record, (this.recordUsers.get(record) ?? 0) + 1);
    if (writes) this.recordWriters.set(record, (this.recordWriters.get(record) ?? 0) + 1);
  }
}
