/**
 * Formatting a new machine at boot. Runs once, before any other Worker has the buffer, so it needs
 * no ordering.
 */
import { ALL_CAPABILITIES } from '../shared/abi/capabilities.ts';
import { poke } from '../shared/atomics.ts';
import * as BOOT from '../shared/layout/boot.ts';
import * as FRAME from '../shared/layout/frame.ts';
import { layOut } from '../shared/layout/regions.ts';
import type { MachineSize } from '../shared/layout/regions.ts';
import {
  AREAS_MAX,
  CPUS_MAX,
  FIRST_GENERATION,
  FRAMES_MAX,
  FRAMES_MIN,
  SWAP_SLOTS_MAX,
} from '../shared/limits.ts';
import { assert } from '../shared/panic.ts';
import { seedFreeLists } from './frames/buddy.ts';
import { formatInjections } from './machine/inject.ts';
import type { Injection } from './machine/inject.ts';
import type { LockingProtocol } from './machine/locking-protocol.ts';
import { viewOf } from './machine/machine.ts';
import { bufferOf } from './machine/machine-memory.ts';
import type { MachineMemory } from './machine/machine-memory.ts';
import { bytesWithPrivate } from './machine/private-memory.ts';
import { FLUSH_POLICIES } from './machine/flush-policies.ts';
import type { FlushPolicy } from './machine/flush-policies.ts';
import type { Machine } from './machine/machine.ts';

/** What a new machine is to be. */
export interface FormatOptions {
  /** Simulated memory in frames of 4 KiB, FRAMES_MIN to FRAMES_MAX. */
  readonly frames: number;
  /** CPU blocks, 1 to CPUS_MAX. */
  readonly cpus: number;
  /** Poisons freed frames and asserts more. Default false. */
  readonly checked?: boolean;
  /** How its page tables are locked. */
  readonly protocol: LockingProtocol;
  /** When stale translations are flushed. Default 'batched'. */
  readonly flushPolicy?: FlushPolicy;
  /** Operations to fail on purpose. Default: none. */
  readonly injections?: readonly Injection[];
  /** Chooses which operations fail, where injections are a share. Default 1. */
  readonly seed?: number;
  /** Pages of the swap store, 0 (no swap) to SWAP_SLOTS_MAX. */
  readonly swapSlots?: number;
  /** Most areas of one address space (Linux: vm.max_map_count). Default AREAS_MAX. */
  readonly mapCountMax?: number;
  /** Of processes that the host starts, a mask (capabilities.ts). Default: all, as root has. */
  readonly capabilities?: number;
  /** What it is to be made of: zeroed, of `machineBytes` bytes or more. Default: a new buffer. */
  readonly memory?: MachineMemory;
}

/** Bytes that a machine needs in order to run compiled code. */
export function machineBytes(size: MachineSize): number {
  return bytesWithPrivate(layOut(size).totalWords, size.cpus);
}

/** Makes and formats the buffer of a new machine. */
export function formatMachine(options: FormatOptions): Machine {
  const { frames, cpus, checked = false, protocol, flushPolicy = 'batched' } = options;
  const {
    swapSlots = 0,
    injections = [],
    seed = 1,
    mapCountMax = AREAS_MAX,
    capabilities = ALL_CAPABILITIES,
  } = options;
  assert(frames >= FRAMES_MIN && frames <= FRAMES_MAX, 'formatMachine: frames', frames);
  assert(cpus >= 1 && cpus <= CPUS_MAX, 'formatMachine: cpus', cpus);
  assert(swapSlots >= 0 && swapSlots <= SWAP_SLOTS_MAX, 'formatMachine: swapSlots', swapSlots);
  const regions = layOut({ frames, cpus, swapSlots });
  const { memory = new SharedArrayBuffer(regions.totalWords * 4) } = options;
  const words = new Int32Array(bufferOf(memory));
  assert(words.length >= regions.totalWords, 'formatMachine: memory too small', words.length);
  poke(words, BOOT.VERSION, BOOT.LAYOUT_VERSION);
  poke(words, BOOT.FRAMES, frames);
  poke(words, BOOT.CPUS, cpus);
  poke(words, BOOT.SWAP_SLOTS, swapSlots);
  poke(words, BOOT.MAP_COUNT_MAX, mapCountMax);
  poke(words, BOOT.CAPABILITIES, capabilities);
  poke(words, BOOT.CHECKED, checked ? 1 : 0);
  poke(words, BOOT.FLUSH_POLICY, FLUSH_POLICIES.indexOf(flushPolicy));
  poke(words, BOOT.NEXT_PID, 1);
  poke(words, BOOT.EPOCH, FIRST_GENERATION + 1);
  poke(words, BOOT.SPACES, FIRST_GENERATION);
  formatInjections(words, injections, seed);
  poke(words, BOOT.MAGIC, BOOT.MAGIC_NUMBER);
  const machine = viewOf(memory, words, protocol);
  poke(words, machine.meta + FRAME.STATE, FRAME.HOLE);
  seedFreeLists(machine);
  return machine;
}
