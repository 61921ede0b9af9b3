/**
 * Flush policy `lazy`, after LATR (ASPLOS'18): munmap does not wait. It leaves a record of what it
 * cleared, other CPUs flush when they next sweep, and only then are the frames released.
 *
 * Protocol
 *  1. The initiator takes a record, puts the frames into it, and advances the space's lazy
 *     generation. CPUs poll it only when they enter user mode and at their ordered polls, not at
 *     each access: this is the tick at which LATR's CPUs sweep.
 *  2. The next operation on the space, or the kernel worker's tick, releases the records that every
 *     CPU in user mode of the space has swept past.
 *  3. An address range is not mapped again before its records are settled: by then a shootdown is
 *     waited for after all.
 * Guarantees: no frame and no address is used again while a TLB leads to the old frame.
 * Locking: records hang on their space and are touched under the areas' lock.
 * Not guaranteed: that no CPU uses the old translation after munmap has returned. Until it sweeps,
 * a CPU may read and write the old frame, which nobody else has.
 * Restrictions (mprotect), mappings that replace others, unlinked tables, and operations with more
 * frames than a record holds are flushed as under `batched`.
 */
import { add, load, peek, poke, store } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as LAZY from '../../shared/layout/lazy-flush.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertAreasHeld } from '../machine/held-locks.ts';
import { userMode } from '../machine/cpu-mode.ts';
import { putFrame } from '../frames/frames.ts';
import { slabAlloc, slabFree } from '../frames/slab.ts';
import { SPAN_PAGES } from '../../shared/limits.ts';
import * as pte from '../../shared/pte.ts';
import type { LazyBlock, Pfn, SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import { LOG_CLEAR, LOG_FILL, LOG_PRESENT } from './range-log.ts';
import type { RangeOp } from './range-op.ts';
import { shootDown } from './shootdown.ts';

/** False where the flush must be waited for; the frames are then still the caller's. */
export function postponeFlush(op: RangeOp): boolean {
  assertAreasHeld(op.cpu, op.space);
  const { cpu, space } = op;
  const { words } = cpu;
  if (op.restricted || op.unlinked.length > 0 || op.dropped.length > 0) return false;
  // mmap over a mapping: the range is in use again before any CPU could have swept.
  if (op.kinds.includes(LOG_FILL) || op.kinds.includes(LOG_PRESENT)) return false;
  const frames = clearedFrames(op);
  const record = frames.length > LAZY.FRAMES_MAX ? 0 : slabAlloc(cpu, SLAB.LAZY);
  if (record === 0) return false;
  for (let i = 0; i < frames.length; i++)
    poke(words, record + LAZY.FRAMES + i, frames[i] as number);
  poke(words, record + LAZY.COUNT, frames.length);
  poke(words, record + LAZY.START, op.flushStartVpn);
  poke(words, record + LAZY.PAGES, op.flushEndVpn - op.flushStartVpn);
  poke(words, record + LAZY.NEXT, peek(words, space + SPACE.LAZY_HEAD));
  poke(words, space + SPACE.LAZY_HEAD, record);
  // ORDER: after the entries were cleared: a CPU that sweeps to this generation walks the new
  // tables.
  poke(words, record + LAZY.GENERATION, (add(words, space + SPACE.LAZY_GEN, 1) + 1) | 0);
  count(cpu, STAT.lazyFlushes, 1);
  return true;
}

/** Releases the records of a space that every CPU has swept past. Under the areas' lock. */
export function sweepLazy(cpu: Cpu, space: SpaceBlock): void {
  assertAreasHeld(cpu, space);
  const { words } = cpu;
  let link = space + SPACE.LAZY_HEAD;
  for (let record: LazyBlock = peek(words, link); record !== 0; record = peek(words, link)) {
    if (swept(cpu, space, peek(words, record + LAZY.GENERATION))) release(cpu, link, record);
    else link = record + LAZY.NEXT;
  }
}

/** Before [startVpn, endVpn) is mapped again: waits for the records that overlap it. */
export function settleLazy(cpu: Cpu, space: SpaceBlock, startVpn: Vpn, endVpn: Vpn): void {
  assertAreasHeld(cpu, space);
  const { words } = cpu;
  let link = space + SPACE.LAZY_HEAD;
  for (let record: LazyBlock = peek(words, link); record !== 0; record = peek(words, link)) {
    const firstVpn = peek(words, record + LAZY.START);
    const pages = peek(words, record + LAZY.PAGES);
    if (firstVpn >= endVpn || firstVpn + pages <= startVpn) {
      link = record + LAZY.NEXT;
      continue;
    }
    if (!swept(cpu, space, peek(words, record + LAZY.GENERATION))) {
      shootDown(cpu, space, firstVpn, pages);
    }
    release(cpu, link, record);
  }
}

/** Whether no CPU can hold a translation from before this lazy generation. */
function swept(cpu: Cpu, space: SpaceBlock, generation: number): boolean {
  const { machine, words } = cpu;
  const mode = userMode(space);
  for (let id = 0; id < machine.cpus; id++) {
    const block = machine.cpuBase + id * CPU.WORDS;
    // ORDER: the mode first. A CPU outside user mode sweeps before it uses its TLB again; one in
    // user mode has stored what it swept, after it dropped its entries. Our own CPU is in the
    // kernel now and sweeps when it leaves it.
    if (load(words, block + CPU.MODE) !== mode) continue;
    if (((load(words, block + CPU.LAZY_ACK) - generation) | 0) < 0) return false;
  }
  return true;
}

function release(cpu: Cpu, link: WordIndex, record: LazyBlock): void {
  const { words } = cpu;
  const frames = peek(words, record + LAZY.COUNT);
  for (let i = 0; i < frames; i++) putFrame(cpu, peek(words, record + LAZY.FRAMES + i));
  // ORDER: the list belongs to the areas' lock; stored for CPUs that only check whether it is
  // empty.
  store(words, link, peek(words, record + LAZY.NEXT));
  slabFree(cpu, SLAB.LAZY, record);
}

function clearedFrames(op: RangeOp): Pfn[] {
  const frames: number[] = [];
  for (let i = 0; i < op.kinds.length; i++) {
    const old = op.olds[i] as number;
    if (op.kinds[i] !== LOG_CLEAR || !pte.isPresent(old) || pte.isZeroPage(old)) continue;
    const pages = (old & pte.PTE_S) !== 0 ? SPAN_PAGES : 1;
    for (let page = 0; page < pages; page++) frames.push(pte.pfnOf(old) + page);
  }
  return frames;
}
