/**
 * How the kinds of memory objects differ, and private anonymous memory, which has no object: each
 * question that other code asks is answered here, one row per kind. Only what a kind does when it
 * is mapped, unmapped or protected is code (backends/).
 *
 *   shared   memory that the machine has itself: anonymous shared memory, a memfd, a file that was
 *            created in the machine; a missing page is a zero page
 *   file     a host file; the kernel worker reads a missing page
 *   user     a backend module supplies a missing page
 *   device   no pages: each access calls the device's handler
 *   linear   a physically contiguous region, present from the start
 *   text     a file of /proc, which the kernel worker writes anew when it is read from its start
 *   zero     /dev/zero: no pages; mapping it makes anonymous memory
 *   arranged pages that a backend module enters into page tables itself
 *   mem      /proc/PID/mem: no pages of its own; reads and writes go to a process's memory
 */
import { peek } from '../../shared/atomics.ts';
import { EINVAL, ESPIPE } from '../../shared/abi/errno.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import { panic } from '../../shared/panic.ts';
import { RESERVED_DEVICE, RESERVED_LAZY, RESERVED_OBJECT } from '../../shared/pte.ts';
import type { ObjectBlock } from '../../shared/units.ts';
import type { Machine } from '../machine/machine.ts';

/** What the objects of a kind are and can do. */
export interface ObjectKind {
  /** As fstat and the audit call it. */
  readonly name: string;

  // Its pages.
  /** Which reserved entry stands for a page that is not present. */
  readonly entryKind: number;
  /** Its frames are one block from OBJECT.BASE_PFN on; otherwise its page index holds them. */
  readonly isContiguous: boolean;
  /**
   * Any of its pages may be anywhere in a mapping. Otherwise a page's number is the VPN plus the
   * mapping record's difference.
   */
  readonly isArranged: boolean;
  /** The host handed it to the machine, and can supply its pages when it has any. */
  readonly isHandedIn: boolean;
  /** Reclaim may drop a clean page, because it can be supplied again. */
  readonly isEvictable: boolean;
  /** What is written to it must reach the host. */
  readonly isWrittenBack: boolean;

  // As a file.
  /** Linux's S_ISREG: ftruncate, O_TRUNC and unlink work on these alone. */
  readonly isRegular: boolean;
  /** What read(2) and write(2) return if they are refused; 0: they work. */
  readonly transferRefusal: number;
  /** What lseek(2) returns if it is refused; 0: it works. */
  readonly seekRefusal: number;
  /** A write beyond the end makes it longer. */
  readonly canGrow: boolean;
  /** A missing page is a hole: SEEK_HOLE finds it, MADV_REMOVE makes one. */
  readonly hasHoles: boolean;
  /** It can have seals (a file on tmpfs, or a memfd). */
  readonly canSeal: boolean;
  /** What was written beyond its end becomes visible when it grows, as on tmpfs (6.18). */
  readonly keepsBeyondEnd: boolean;

  /** Linux's /dev/zero: it has no end and no position, and a mapping of it is anonymous memory. */
  readonly isEndless: boolean;
  /** Its text depends on when it is read, so that it has no end to seek from. */
  readonly isText: boolean;
  /** What is read and written is a process's memory. */
  readonly isMemory: boolean;

  // When it is mapped.
  /**
   * Linux's VM_SPECIAL, a driver's mapping: shared or not at all, wholly inside the object, never
   * locked, merged, grown or dumped.
   */
  readonly isSpecial: boolean;
  /**
   * Which mappings are placed as if huge pages could be used for them: those of whole ones, those
   * of a part that holds one, none (huge-placement.ts).
   */
  readonly hugePlacement: 'whole' | 'part' | 'none';
  /** mremap may move a mapping. */
  readonly canMove: boolean;
  /** The device in /proc/PID/maps: 00:01 is where Linux keeps shared memory and memfds. */
  readonly device: string;
  /** The total in smaps and status to which its resident pages are added. */
  readonly countsAs: 'shmem' | 'file';
}

const FILE: ObjectKind = {
  name: 'file',
  entryKind: RESERVED_OBJECT,
  isContiguous: false,
  isArranged: false,
  isHandedIn: true,
  isEvictable: true,
  isWrittenBack: true,
  isRegular: true,
  transferRefusal: 0,
  seekRefusal: 0,
  canGrow: true,
  hasHoles: false,
  canSeal: false,
  keepsBeyondEnd: false,
  isEndless: false,
  isText: false,
  isMemory: false,
  isSpecial: false,
  hugePlacement: 'part',
  canMove: true,
  device: '00:02',
  countsAs: 'file',
};

const SHARED: ObjectKind = {
  ...FILE,
  name: 'memory',
  isHandedIn: false,
  isEvictable: false,
  isWrittenBack: false,
  hasHoles: true,
  canSeal: true,
  keepsBeyondEnd: true,
  hugePlacement: 'none',
  device: '00:01',
  countsAs: 'shmem',
};

/**
 * The module says how large its object is, which never changes, and knows at which addresses it is
 * mapped.
 */
const USER: ObjectKind = {
  ...FILE,
  name: 'user',
  isWrittenBack: false,
  isRegular: false,
  canGrow: false,
  hugePlacement: 'none',
  canMove: false,
};

/** A device has registers, not pages, and neither a read nor a write method. */
const DEVICE: ObjectKind = {
  ...FILE,
  name: 'device',
  entryKind: RESERVED_DEVICE,
  isEvictable: false,
  isWrittenBack: false,
  isRegular: false,
  transferRefusal: -EINVAL,
  seekRefusal: -ESPIPE,
  canGrow: false,
  isSpecial: true,
  hugePlacement: 'none',
};

/** Every page is present, so its areas have no reserved entries. */
const LINEAR: ObjectKind = { ...DEVICE, name: 'linear', isContiguous: true };

/** Its reserved pages are supplied as a file's are. */
const ARRANGED: ObjectKind = {
  ...DEVICE,
  name: 'arranged',
  entryKind: RESERVED_OBJECT,
  isArranged: true,
  canMove: false,
};

const TEXT: ObjectKind = { ...FILE, name: 'proc', isWrittenBack: false, isText: true };

const MEMORY: ObjectKind = {
  ...TEXT,
  name: 'mem',
  isHandedIn: false,
  isEvictable: false,
  isMemory: true,
};

const ZERO: ObjectKind = {
  ...FILE,
  name: 'zero',
  isHandedIn: false,
  isEvictable: false,
  isWrittenBack: false,
  isRegular: false,
  isEndless: true,
};

/** No object: it has no file, and its pages go to swap. */
export const PRIVATE_MEMORY: ObjectKind = {
  ...FILE,
  name: 'anonymous',
  entryKind: RESERVED_LAZY,
  isHandedIn: false,
  isEvictable: false,
  isWrittenBack: false,
  isRegular: false,
  hugePlacement: 'whole',
  device: '00:00',
};

const KINDS: Readonly<Record<number, ObjectKind>> = {
  [OBJECT.SHARED]: SHARED,
  [OBJECT.FILE]: FILE,
  [OBJECT.USER]: USER,
  [OBJECT.DEVICE]: DEVICE,
  [OBJECT.LINEAR]: LINEAR,
  [OBJECT.TEXT]: TEXT,
  [OBJECT.ZERO]: ZERO,
  [OBJECT.ARRANGED]: ARRANGED,
  [OBJECT.MEMORY]: MEMORY,
};

/** By the number in OBJECT.KIND and RECORD.KIND. */
export function kindNumbered(number: number): ObjectKind {
  return KINDS[number] ?? panic('kindNumbered: no such kind', number);
}

/** The kind of an object. */
export function kindOf(machine: Machine, object: ObjectBlock): ObjectKind {
  return kindNumbered(peek(machine.words, object + OBJECT.KIND));
}
