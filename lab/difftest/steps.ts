/**
 * What a kernel's process is asked to do, one step after the other: the calls of a sequence and the
 * looks at what they did. A step depends on earlier ones only through descriptor slots, so that a
 * list of steps can be carried out without running any JavaScript in between.
 */
import type { CapabilityName } from '../../shared/abi/capabilities.ts';
import { signalName } from '../../shared/abi/signals.ts';

/** The syscalls that take a name. */
export interface Syscalls {
  memfd_create(name: string, flags: number): number;
  open(name: string, flags: number): number;
  unlink(name: string): number;
}

export interface SlotRef {
  readonly slot: number;
}

export type StepArg = number | SlotRef;

export type Step =
  /** A syscall by number. Its result, or -errno; `slot` keeps it as a descriptor. */
  | {
      readonly kind: 'call';
      readonly number: number;
      readonly args: readonly StepArg[];
      readonly slot?: number | undefined;
    }
  /** memfd_create, open or unlink of `name`. */
  | {
      readonly kind: 'named';
      readonly call: keyof Syscalls;
      readonly name: string;
      readonly flags: number;
      readonly slot?: number | undefined;
    }
  /** The slot's descriptor is closed, or is to be taken for it. */
  | { readonly kind: 'forget'; readonly slot: number }
  /** The program reads a byte: it, or -(signal * 256 + si_code). */
  | { readonly kind: 'load'; readonly address: number }
  /** The program writes bytes within a page: 0, or the fault as above. */
  | { readonly kind: 'store'; readonly address: number; readonly bytes: readonly number[] }
  /** Makes as many areas as are allowed, in the crowd's mapping. */
  | { readonly kind: 'crowd' }
  /** Merges some of them again, so that `room` more are allowed. */
  | { readonly kind: 'room'; readonly room: number }
  /** The text of /proc/self/maps, at least up to the end of the high window. */
  | { readonly kind: 'maps' }
  /** The text of /proc/self/smaps, as far as that of the maps. */
  | { readonly kind: 'smaps' }
  /** /proc/self/pagemap: bits 56 to 63 of each page from `address` on, as two hex digits. */
  | { readonly kind: 'pagemap'; readonly address: number; readonly pages: number }
  /** fork: from the next `switch` on the child carries out the steps, until the one after it. */
  | { readonly kind: 'fork' }
  | { readonly kind: 'switch' }
  /** The child ends. Not while it is the one that carries out the steps. */
  | { readonly kind: 'join' }
  /** Of CAP_IPC_LOCK and CAP_SYS_RESOURCE the process has these from now on. */
  | { readonly kind: 'capabilities'; readonly names: readonly CapabilityName[] }
  /** mincore's bit of a page, -1 where nothing is mapped. */
  | { readonly kind: 'resident'; readonly address: number }
  /**
   * The program reads a page: a hash of it, or the fault. Unless `always`, only if the step before
   * this one found it resident; else NaN.
   */
  | { readonly kind: 'content'; readonly address: number; readonly always: boolean };

export type StepResult = number | string;

/** A byte, or the signal and its code. */
export function accessResult(value: number): string {
  return value >= 0 ? String(value) : `${signalName(-value >> 8)}/${-value & 0xff}`;
}
