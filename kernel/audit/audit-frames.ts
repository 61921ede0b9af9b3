/** The audit's last part: every frame's state, place and count. */
import { peek } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { BUDDY_ORDERS, TABLE_ENTRIES } from '../../shared/limits.ts';
import { auditGaps } from './audit-layout.ts';
import type { Pfn } from '../../shared/units.ts';
import type { AuditLedger } from './audit-ledger.ts';
import { frameState } from '../frames/buddy.ts';
import type { Cpu } from '../machine/cpu.ts';
import { frameField, frameWord } from '../machine/machine.ts';
import type { Machine } from '../machine/machine.ts';
import { slabOfFrame } from '../frames/slab.ts';

/** After the spaces and objects, whose references it compares with the counts. */
export function auditFrames(cpu: Cpu, ledger: AuditLedger): void {
  const { machine } = cpu;
  const free = auditFreeLists(machine, ledger);
  const cached = auditCaches(machine, ledger);
  auditLimbo(machine, ledger);
  const zero = frameWord(machine, 0);
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    ledger.check(peek(machine.words, zero + i) === 0, `frame 0 is not zero at word ${i}`);
  }
  let inUse = 0;
  for (let pfn = 1; pfn < machine.frames; pfn++) {
    if (ledger.placed[pfn] === 1 && frameState(machine, pfn) <= FRAME.CACHED) continue;
    auditUsed(machine, ledger, pfn);
    inUse++;
  }
  ledger.check(
    free + cached + inUse === machine.frames - 1,
    `frames: ${free} free + ${cached} cached + ${inUse} in use are not ${machine.frames - 1}`,
  );
  ledger.tally('frames', machine.frames - 1);
  ledger.tally('framesInUse', inUse);
}

function auditFreeLists(machine: Machine, ledger: AuditLedger): number {
  const { words } = machine;
  let free = 0;
  for (let order = 0; order < BUDDY_ORDERS; order++) {
    let previous = 0;
    let pfn: Pfn = peek(words, BOOT.FREE_HEADS + order);
    while (pfn !== 0 && ledger.placed[pfn] === 0) {
      const state = peek(words, frameField(machine, pfn, FRAME.STATE)) & 0xff;
      ledger.check(
        state === (FRAME.FREE_HEAD | (order << FRAME.ORDER_SHIFT)) && pfn % (1 << order) === 0,
        `free block ${pfn} of order ${order} has state 0x${state.toString(16)}`,
      );
      ledger.check(
        peek(words, frameField(machine, pfn, FRAME.AUX)) === previous,
        `free block ${pfn} of order ${order}: broken back link`,
      );
      for (let i = 0; i < 1 << order; i++) {
        ledger.place(pfn + i, `a free block of order ${order}`);
        if (i === 0) continue;
        const inner = frameState(machine, pfn + i);
        ledger.check(inner === FRAME.FREE, `frame ${pfn + i} in a free block has state ${inner}`);
      }
      free += 1 << order;
      previous = pfn;
      pfn = peek(words, frameField(machine, pfn, FRAME.LINK));
    }
    ledger.check(pfn === 0, `free list of order ${order} runs in a circle at ${pfn}`);
  }
  const counted = peek(words, BOOT.FREE_FRAMES);
  ledger.check(counted === free, `free frames: counter ${counted}, lists ${free}`);
  return free;
}

function auditCaches(machine: Machine, ledger: AuditLedger): number {
  let cached = 0;
  for (let id = 0; id < machine.cpus; id++) {
    const block = machine.cpuBase + id * CPU.WORDS;
    const count = peek(machine.words, block + CPU.CACHE_COUNT);
    for (let i = 0; i < count; i++) {
      const pfn: Pfn = peek(machine.words, block + CPU.CACHE + i);
      ledger.place(pfn, `the cache of CPU ${id}`);
      const state = frameState(machine, pfn);
      ledger.check(state === FRAME.CACHED, `cached frame ${pfn} has state ${state}`);
    }
    cached += count;
  }
  return cached;
}

function auditLimbo(machine: Machine, ledger: AuditLedger): void {
  for (let id = 0; id < machine.cpus; id++) {
    const block = machine.cpuBase + id * CPU.WORDS;
    let pfn: Pfn = peek(machine.words, block + CPU.LIMBO_HEAD);
    let length = 0;
    while (pfn !== 0 && ledger.placed[pfn] === 0) {
      ledger.place(pfn, `the limbo of CPU ${id}`);
      const state = frameState(machine, pfn);
      ledger.check(state === FRAME.RETIRED, `frame ${pfn} in limbo has state ${state}`);
      length++;
      pfn = peek(machine.words, frameField(machine, pfn, FRAME.LINK));
    }
    const counted = peek(machine.words, block + CPU.LIMBO_COUNT);
    ledger.check(counted === length, `limbo of CPU ${id}: counter ${counted}, list ${length}`);
    ledger.tally('retiredTables', length);
  }
}

/** A frame that is not free: its count against what was found. */
function auditUsed(machine: Machine, ledger: AuditLedger, pfn: Pfn): void {
  const state = frameState(machine, pfn);
  const count = peek(machine.words, frameField(machine, pfn, FRAME.COUNT));
  const found = ledger.references[pfn] ?? 0;
  const pins = ledger.pins.get(pfn) ?? 0;
  const placed = ledger.placed[pfn] === 1;
  switch (state) {
    case FRAME.USED:
      ledger.check(
        count === found + pins * FRAME.PIN && count > 0,
        `frame ${pfn}: count ${describeCount(count)}, but ${found} entries and holders` +
          (pins === 0 ? '' : `, ${pins} pins`),
      );
      return;
    case FRAME.SLAB:
      return auditSlabFrame(machine, ledger, pfn, count);
    case FRAME.TABLE:
    case FRAME.KERNEL:
    case FRAME.RETIRED:
      ledger.check(placed, `${FRAME.STATE_NAMES[state]} frame ${pfn} leaked: nothing leads to it`);
      ledger.check(found === 0, `${FRAME.STATE_NAMES[state]} frame ${pfn} is mapped`);
      return;
    default:
      ledger.check(false, `frame ${pfn} has state ${FRAME.STATE_NAMES[state]} but is in no list`);
  }
}

function describeCount(count: number): string {
  const pins = Math.floor(count / FRAME.PIN);
  return pins > 0 ? `${count % FRAME.PIN} and ${pins} pins` : String(count);
}

function auditSlabFrame(machine: Machine, ledger: AuditLedger, pfn: Pfn, count: number): void {
  const block = SLAB.BLOCKS[slabOfFrame(machine, pfn)];
  const size = block?.words ?? TABLE_ENTRIES;
  const first = frameWord(machine, pfn);
  let live = 0;
  for (let at = first; at < first + TABLE_ENTRIES; at += size) {
    if (peek(machine.words, at) === 0) continue;
    if (block !== undefined) auditGaps(machine, ledger, block, at);
    live++;
  }
  ledger.check(live === count && live > 0, `slab frame ${pfn}: count ${count}, live ${live}`);
}
