/**
 * Call sequences, as both kernels execute them. Plain data: JSON is their file format.
 *
 * A sequence acts in *windows*: stretches of the address space that are empty when it begins.
 * Whatever lies between them is occupied, on both sides, so that a mapping without an address can
 * only be placed in a window, and the two kernels' choices can be compared.
 */

import type { CapabilityName } from '../../shared/abi/capabilities.ts';

export interface Window {
  readonly name: string;
  readonly start: number;
  readonly pages: number;
}

/** Both sides put these windows at the same addresses. */
export const LOW: Window = { name: 'low', start: 0x7000_0000, pages: 32 };
/** Beyond the reach of MAP_32BIT. */
export const HIGH: Window = { name: 'high', start: 0x100_0000_0000, pages: 8 };
/** The heap's window begins where the break is: elsewhere on either side. */
export const HEAP_PAGES = 16;

/** Memory for pointers that are good: always mapped, readable and writable. */
export const SCRATCH = 0x6000_0000;
export const SCRATCH_PAGES = 4;
/**
 * What is mapped there in all. It counts against RLIMIT_DATA, so that a limit counted from what is
 * in use is never below what brk measures alone, its heap and the program's data: these differ.
 */
export const SCRATCH_AREA_PAGES = 64;

/** Where areas are made only to reach the limit on their number (Sequence.room). */
export const CROWD = 0x180_0000_0000;
/** More than vm.max_map_count is by default. */
export const CROWD_PAGES = 66_000;

/** Descriptors of a sequence, by slot. */
export const SLOTS = 4;

/** The capabilities that a sequence of root's may do without. */
export const VARIED_CAPABILITIES: readonly CapabilityName[] = ['CAP_IPC_LOCK', 'CAP_SYS_RESOURCE'];

/**
 * What an argument's number is counted from:
 *   low, high, heap, scratch   the first byte of that window
 *   task                       the first address that no program can have
 *   fd                         the descriptor in slot `plus`, -1 when there is none
 *   as, data, locked           bytes in use, of what RLIMIT_AS, _DATA and _MEMLOCK limit
 */
export type Base = 'low' | 'high' | 'heap' | 'scratch' | 'task' | 'fd' | 'as' | 'data' | 'locked';

export interface Relative {
  readonly base: Base;
  readonly plus: number;
}

export type Arg = number | Relative;

export interface Op {
  /** A syscall's name (one `fork` at most), or `load`, `store`: the program's own access. */
  readonly call: string;
  readonly args: readonly Arg[];
  /** Slot that receives the descriptor which the call returns. */
  readonly slot?: number;
  /** Made by the child of the sequence's `fork`, if there is one by then. */
  readonly child?: boolean;
}

export interface Sequence {
  /** Whether the process is root; otherwise it has no capabilities. */
  readonly privileged: boolean;
  /** Every accessible page is read after each call, which makes it resident; else at the end. */
  readonly eager: boolean;
  /** Of CAP_IPC_LOCK and CAP_SYS_RESOURCE those that root keeps; absent: both. */
  readonly capabilities?: readonly CapabilityName[];
  /** smaps is compared after each call, too. */
  readonly smaps?: boolean;
  /** Areas that can still be made when it begins (vm.max_map_count); absent: any number. */
  readonly room?: number;
  readonly ops: readonly Op[];
}

/** The outcome of a call on one side, in terms that both sides share. */
export interface Outcome {
  /** 'EINVAL', 'low+0x3000', '0', 'SIGSEGV/1', … */
  readonly result: string;
  /** Number that equal states share; 0 when not asked for. */
  readonly digest: number;
  readonly state: State | null;
}

export interface State {
  /** Lines of /proc/PID/maps in the windows, addresses relative to them. */
  readonly maps: readonly string[];
  /** For each window a letter a page: mincore's bit, '-' where nothing is mapped. */
  readonly resident: readonly string[];
  /** For each window a letter a page (pagemap-text.ts). */
  readonly pagemap: readonly string[];
  /** Of each area in a window what smaps says of it that both sides share (smaps-text.ts). */
  readonly smaps: readonly string[];
  /** What reading found, by page: a hash of its bytes, or the fault; pages not read are absent. */
  readonly pages: Readonly<Record<string, string>>;
}
