/**
 * Grace periods: when a frame that lock-free readers may still look at can be freed. Page tables
 * are such frames, and so are the frames of area nodes.
 *
 * Guarantees: a retired frame is reused only after every CPU that was in the kernel when it became
 * unreachable has left it. (The MMU's walks are covered by the shootdown that precedes this.)
 * Locking: each CPU has its own limbo list, touched in kernel mode by its owner, or by the reaper
 * of a dead CPU.
 * Not guaranteed: promptness. A frame waits in limbo until its CPU enters the kernel again.
 *
 * Being outside kernel mode is the quiescent state, so readers pay nothing. CPU.EPOCH is the epoch
 * at which a CPU entered the kernel: retiring stamps the frame with the epoch and then advances the
 * epoch, so a CPU that enters later has a larger one.
 */
import { add, load, peek, poke } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import type { Pfn } from '../../shared/units.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { assertInKernel } from '../machine/held-locks.ts';
import { frameField } from '../machine/machine.ts';
import { setFrameState } from './buddy.ts';
import { freeFrame } from './frames.ts';

/** Puts a frame that was made unreachable on this CPU's limbo list. After the shootdown, if any. */
export function retireFrame(cpu: Cpu, pfn: Pfn): void {
  assertInKernel(cpu);
  const { machine, words, base } = cpu;
  // A CPU that still waits for the lock of a retired table must find it stray.
  setFrameState(machine, pfn, FRAME.RETIRED | FRAME.STRAY, 0);
  // ORDER: stamped after the frame became unreachable; later entrants see the next epoch.
  poke(words, frameField(machine, pfn, FRAME.COUNT), add(words, BOOT.EPOCH, 1));
  poke(words, frameField(machine, pfn, FRAME.LINK), 0);
  const tail = peek(words, base + CPU.LIMBO_TAIL);
  if (tail === 0) poke(words, base + CPU.LIMBO_HEAD, pfn);
  else poke(words, frameField(machine, tail, FRAME.LINK), pfn);
  poke(words, base + CPU.LIMBO_TAIL, pfn);
  poke(words, base + CPU.LIMBO_COUNT, peek(words, base + CPU.LIMBO_COUNT) + 1);
  count(cpu, STAT.framesRetired, 1);
}

/** Frees those of this CPU's retired frames whose grace period is over. Oldest first. */
export function reapLimbo(cpu: Cpu): void {
  assertInKernel(cpu);
  const { machine, words, base } = cpu;
  let pfn: Pfn = peek(words, base + CPU.LIMBO_HEAD);
  if (pfn === 0) return;
  const oldest = oldestReader(cpu);
  while (pfn !== 0) {
    const stamp = peek(words, frameField(machine, pfn, FRAME.COUNT));
    if (((oldest - stamp) | 0) <= 0) return;
    const next = peek(words, frameField(machine, pfn, FRAME.LINK));
    poke(words, base + CPU.LIMBO_HEAD, next);
    if (next === 0) poke(words, base + CPU.LIMBO_TAIL, 0);
    poke(words, base + CPU.LIMBO_COUNT, peek(words, base + CPU.LIMBO_COUNT) - 1);
    freeFrame(cpu, pfn);
    count(cpu, STAT.framesReaped, 1);
    pfn = next;
  }
}

/** The smallest epoch at which a CPU that is in the kernel now entered it. */
function oldestReader(cpu: Cpu): number {
  const { machine, words } = cpu;
  // ORDER: read before the modes: a CPU that enters after this load has at least this epoch.
  let oldest = load(words, BOOT.EPOCH);
  for (let id = 0; id < machine.cpus; id++) {
    const block = machine.cpuBase + id * CPU.WORDS;
    // ORDER: the mode first. A CPU seen outside the kernel left it, or enters later than our load.
    if ((load(words, block + CPU.MODE) & CPU.MODE_MASK) !== CPU.MODE_KERNEL) continue;
    const epoch = load(words, block + CPU.EPOCH);
    if (((epoch - oldest) | 0) < 0) oldest = epoch;
  }
  return oldest;
}
