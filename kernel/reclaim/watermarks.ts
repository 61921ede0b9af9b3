/** The numbers of free frames at which reclaim begins and at which it has done enough. */
import { load, peek } from '../../shared/atomics.ts';
import { EAGAIN, EFAULT, ENOMEM } from '../../shared/abi/errno.ts';
import * as BOOT from '../../shared/layout/boot.ts';
import * as CPU from '../../shared/layout/cpu.ts';
import { RECLAIM_LOW_MAX, RECLAIM_LOW_MIN, RECLAIM_LOW_SHARE } from '../../shared/limits.ts';
import type { Cpu } from '../machine/cpu.ts';
import { drainCache } from '../frames/frames.ts';
import type { Machine } from '../machine/machine.ts';

/** Below this many free frames the reclaim daemon wakes up (Linux: the low watermark). */
export function lowWatermark(machine: Machine): number {
  const share = Math.floor(machine.frames / RECLAIM_LOW_SHARE);
  return Math.max(RECLAIM_LOW_MIN, Math.min(RECLAIM_LOW_MAX, share));
}

/** At this many free frames it goes to sleep again. */
export function highWatermark(machine: Machine): number {
  return 2 * lowWatermark(machine);
}

/** Frames on the buddy's lists; those in CPUs' caches are not counted. */
export function freeFrames(machine: Machine): number {
  // ORDER: a momentary value, by which reclaim decides how much to do.
  return load(machine.words, BOOT.FREE_FRAMES);
}

/** Whether fewer frames are free than the low watermark. */
export function memoryIsShort(machine: Machine): boolean {
  return freeFrames(machine) < lowWatermark(machine);
}

/**
 * Whether the syscall that this CPU has just carried out may have failed for want of a frame, so
 * that it is worth reclaiming and trying again: ENOMEM, mlock's EAGAIN, and EFAULT of a copy to or
 * from user memory that found none. What counts is the moment of the failure: by now reclaim may
 * have made room again.
 */
export function wantsMemory(cpu: Cpu, result: number): boolean {
  return cpu.lacksFrame && (result === -ENOMEM || result === -EAGAIN || result === -EFAULT);
}

/** Gives the frames in this CPU's cache back, where other CPUs can get them. Kernel mode. */
export function shareFreeFrames(cpu: Cpu): void {
  drainCache(cpu, peek(cpu.words, cpu.base + CPU.CACHE_COUNT));
}
