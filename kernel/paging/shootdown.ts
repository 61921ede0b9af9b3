/**
 * TLB shootdown: no CPU uses a translation after the call that removed it has returned.
 *
 * Protocol
 *  1. The initiator clears or restricts entries, under the protocol's locks.
 *  2. It writes {first VPN, pages} into the space's ring and advances the space's generation, which
 *     every CPU in user mode polls at each access.
 *  3. For each CPU: if CPU.MODE says USER of this space, it waits until CPU.ACK reaches the
 *     generation or the mode changes. CPUs in the kernel, idle, blocked, parked or dead are exempt:
 *     they catch up before they use the TLB again.
 *  4. Only then may frames be freed and locks dropped.
 *
 * Guarantees: free after flush; no deadlock between initiators, which are in kernel mode
 * themselves.
 * Locking: none of its own. Concurrent initiators take different generations.
 * Not guaranteed: an answer from a program that never touches memory. After SHOOTDOWN_WATCHDOG_MS
 * such a CPU is condemned, as a watchdog would, and its Worker replaced.
 */
import { add, compareExchange, load, pause, peek, store, wait } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import * as SPACE from '../../shared/layout/space.ts';
import { assert } from '../../shared/panic.ts';
import { SHOOTDOWN_WATCHDOG_MS, SPIN_TURNS, TLB_RING, WAIT_SLICE_MS } from '../../shared/limits.ts';
import type { SpaceBlock, Vpn, WordIndex } from '../../shared/units.ts';
import { STAT, count } from '../machine/cpu.ts';
import type { Cpu } from '../machine/cpu.ts';
import { condemnCpu, userMode } from '../machine/cpu-mode.ts';
import { LOG_CPU_STUCK, logEvent } from '../machine/log.ts';

/**
 * Invalidates [startVpn, start + pages) of `space` everywhere. Returns when all have acknowledged.
 */
export function shootDown(cpu: Cpu, space: SpaceBlock, startVpn: Vpn, pages: number): void {
  assert(pages > 0, 'shootDown: range', startVpn);
  const generation = announce(cpu, space, startVpn, pages);
  count(cpu, STAT.shootdowns, 1);
  // ORDER: a counter.
  add(cpu.words, space + SPACE.SHOOTDOWNS, 1);
  const mode = userMode(space);
  for (let id = 0; id < cpu.machine.cpus; id++) {
    const block = cpu.machine.cpuBase + id * CPU.WORDS;
    // ORDER: read after the generation was advanced (Dekker; see cpu-mode.ts).
    if (id !== cpu.id && load(cpu.words, block + CPU.MODE) === mode) {
      count(cpu, STAT.shootdownTargets, 1);
      awaitCpu(cpu, id, block, mode, generation);
    }
  }
}

/** Advances the generation of a space, which its CPUs poll: it takes the place of an IPI. */
export function pokeSpace(cpu: Cpu, space: SpaceBlock): void {
  announce(cpu, space, 0, 0);
}

function announce(cpu: Cpu, space: SpaceBlock, startVpn: Vpn, pages: number): number {
  const { words } = cpu;
  // ORDER: entries were changed before; a CPU that reads this generation walks the new tables.
  const generation = (add(words, space + SPACE.TLB_GEN, 1) + 1) | 0;
  const at = space + SPACE.TLB_RING + (generation & (TLB_RING - 1)) * SPACE.TLB_RING_WORDS;
  const stampAt = at + SPACE.RING_STAMP;
  // ORDER: claimed by exchange. While the record changes, its stamp belongs to another slot, so
  // that a CPU that reads it then, however far behind, flushes everything. The same follows when an
  // initiator finds a slower one, a whole ring behind, still writing: it leaves no record.
  const stamp = load(words, stampAt);
  const isFree = ((stamp ^ generation) & (TLB_RING - 1)) === 0;
  if (isFree && compareExchange(words, stampAt, stamp, (generation + 1) | 0) === stamp) {
    store(words, at + SPACE.RING_START_VPN, startVpn);
    store(words, at + SPACE.RING_PAGES, pages);
    store(words, stampAt, generation);
  }
  return generation;
}

/** Waits until the CPU has acknowledged `generation` or is no longer in `mode`. */
function awaitCpu(cpu: Cpu, id: number, block: WordIndex, mode: number, generation: number): void {
  const { words } = cpu;
  for (let turn = 0; turn < SPIN_TURNS; turn++) {
    if (answered(cpu, block, mode, generation)) return;
    pause();
  }
  // ORDER: the flag is set before the last look, so the CPU's signal cannot fall between.
  add(words, BOOT.CPU_WAITERS, 1);
  const startedMs = peek(words, BOOT.JIFFIES);
  for (let sleptMs = 0; ;) {
    const event = load(words, BOOT.CPU_EVENT);
    if (answered(cpu, block, mode, generation)) break;
    const waitedMs = Math.max(sleptMs, (peek(words, BOOT.JIFFIES) - startedMs) | 0);
    if (waitedMs >= SHOOTDOWN_WATCHDOG_MS && condemnCpu(cpu, id)) {
      logEvent(cpu, LOG_CPU_STUCK, id, waitedMs, 0);
      break;
    }
    // Other CPUs' events end a slice early, so only a whole one counts as time; the machine's
    // clock counts where there are many events, but stands still while the kernel worker waits.
    if (wait(words, BOOT.CPU_EVENT, event, WAIT_SLICE_MS)) sleptMs += WAIT_SLICE_MS;
  }
  // ORDER: only a count; the others' own increments keep the flag up.
  add(words, BOOT.CPU_WAITERS, -1);
}

function answered(cpu: Cpu, block: WordIndex, mode: number, generation: number): boolean {
  // ORDER: the acknowledgement is stored after the stale entries were dropped.
  if (load(cpu.words, block + CPU.MODE) !== mode) return true;
  return ((load(cpu.words, block + CPU.ACK) - generation) | 0) >= 0;
}
