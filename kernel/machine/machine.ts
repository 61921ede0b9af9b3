/**
 * The machine: views over the one SharedArrayBuffer.
 *
 * A `Machine` object is private to the Worker that made it; everything that it shows is shared.
 */
import { copyWords, load, peek, poke } from '../../shared/atomics.ts';
import type { Words } from '../../shared/atomics.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import { layOut } from '../../shared/layout/regions.ts';
import type { Regions } from '../../shared/layout/regions.ts';
import { CPU_CACHE_BATCH, TABLE_ENTRIES } from '../../shared/limits.ts';
import { panic } from '../../shared/panic.ts';
import { bytesOf } from '../../shared/units.ts';
import type { Pfn, WordIndex } from '../../shared/units.ts';
import type { LockingProtocol } from './locking-protocol.ts';
import { bufferOf } from './machine-memory.ts';
import type { MachineMemory } from './machine-memory.ts';
import { FLUSH_POLICIES } from './flush-policies.ts';
import type { FlushPolicy } from './flush-policies.ts';

/** A machine, for one Worker. */
export interface Machine extends Regions {
  /** All of its memory. */
  readonly buffer: SharedArrayBuffer;
  /** Whose buffer it is; null for a plain one (machine-memory.ts). */
  readonly memory: WebAssembly.Memory | null;
  /** The same as words of 32 bits. */
  readonly words: Words;
  /** The frames' bytes: frame f is [f * 4096, (f + 1) * 4096). */
  readonly frameBytes: Uint8Array<SharedArrayBuffer>;
  /** Frames of the machine, frame 0 included. */
  readonly frames: number;
  /** CPU blocks: kernel worker, pool and spares. */
  readonly cpus: number;
  /** Whether freed frames are poisoned and more is asserted. */
  readonly checked: boolean;
  /** Whether faults are injected (inject.ts). */
  readonly injecting: boolean;
  /** Pages of the swap store; 0 for a machine without swap. */
  readonly swapSlots: number;
  /** Frames a CPU cache fetches or returns at once: smaller on a small machine. */
  readonly cacheBatch: number;
  /** How its page tables are locked: the same for all Workers. */
  readonly protocol: LockingProtocol;
  /** When translations are flushed; the same for all CPUs, kept in the boot block. */
  readonly flushPolicy: FlushPolicy;
}

/** Views of a machine that another Worker formatted. */
export function attachMachine(memory: MachineMemory, protocol: LockingProtocol): Machine {
  const words = new Int32Array(bufferOf(memory));
  // ORDER: boot words never change; the message that brought the buffer ordered them before us.
  if (load(words, BOOT.MAGIC) !== BOOT.MAGIC_NUMBER)
    panic('attachMachine: not a machine', words.length);
  if (peek(words, BOOT.VERSION) !== BOOT.LAYOUT_VERSION)
    panic('attachMachine: other layout version');
  return viewOf(memory, words, protocol);
}

/** The views over a formatted machine. */
export function viewOf(memory: MachineMemory, words: Words, protocol: LockingProtocol): Machine {
  const frames = peek(words, BOOT.FRAMES);
  const cpus = peek(words, BOOT.CPUS);
  const swapSlots = peek(words, BOOT.SWAP_SLOTS);
  const regions = layOut({ frames, cpus, swapSlots });
  return {
    ...regions,
    buffer: words.buffer,
    memory: memory === words.buffer ? null : (memory as WebAssembly.Memory),
    words,
    frameBytes: new Uint8Array(words.buffer, regions.frameBase * 4, bytesOf(frames)),
    frames,
    cpus,
    swapSlots,
    injecting: peek(words, BOOT.INJECTING) !== 0,
    checked: peek(words, BOOT.CHECKED) !== 0,
    cacheBatch: Math.max(1, Math.min(CPU_CACHE_BATCH, Math.floor(frames / 512))),
    protocol,
    flushPolicy: FLUSH_POLICIES[peek(words, BOOT.FLUSH_POLICY)] ?? 'batched',
  };
}

/** Index of the first word of a frame. */
export function frameWord(machine: Machine, pfn: Pfn): WordIndex {
  return machine.frameBase + pfn * TABLE_ENTRIES;
}

/** The frame that a block lies in. */
export function frameOfWord(machine: Machine, at: WordIndex): Pfn {
  return Math.floor((at - machine.frameBase) / TABLE_ENTRIES);
}

/** Index of a field of a frame's metadata. */
export function frameField(machine: Machine, pfn: Pfn, field: number): WordIndex {
  return machine.meta + pfn * FRAME.WORDS + field;
}

/**
 * Zeroes a frame by copying frame 0, which is never handed out and stays zero. Filling takes twice
 * as long: `fill` on shared memory writes element by element (310 ns and 180 ns for 4 KiB on Node
 * 20, 363 and 179 on Node 24; docs/performance.md). Does nothing for a frame that was zeroed while
 * it was free.
 */
export function zeroFrame(machine: Machine, pfn: Pfn): void {
  const stateAt = frameField(machine, pfn, FRAME.STATE);
  const state = peek(machine.words, stateAt);
  if ((state & FRAME.ZEROED) !== 0) {
    poke(machine.words, stateAt, state & ~FRAME.ZEROED);
    return;
  }
  copyWords(machine.words, frameWord(machine, pfn), machine.frameBase, TABLE_ENTRIES);
}
