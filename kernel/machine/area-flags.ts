/**
 * Flags of an area in the running machine: PROT_* in the low bits, then the kind of mapping and
 * what syscalls said about it. Areas merge when all of them are equal. The comments name Linux's.
 */
import * as M from '../../shared/abi/mman.ts';

/** The bits that hold PROT_READ, PROT_WRITE and PROT_EXEC. */
export const AREA_PROT = 0x7;
/** A shared mapping. */
export const AREA_SHARED = 0x8;
/** A shared mapping of a descriptor that is not open for writing: mprotect(+W) is EACCES. */
export const AREA_NO_WRITE = 0x10;
/** VM_ACCOUNT: private writable memory that counts against the commit limit. */
export const AREA_ACCOUNT = 0x20;
/** VM_NORESERVE. */
export const AREA_NORESERVE = 0x40;
/** With AREA_NO_WRITE: because of a seal, which leaves VM_SHARED; only `smaps` shows it. */
export const AREA_WRITE_SEALED = 0x80;
/** VM_GROWSDOWN: a fault just below extends it. */
export const AREA_GROWSDOWN = 0x100;
/** VM_LOCKED and VM_LOCKONFAULT. */
export const AREA_LOCKED = 0x200;
/** Pages are locked when they are touched (MLOCK_ONFAULT). */
export const AREA_LOCKONFAULT = 0x400;
/** VM_SEALED. */
export const AREA_SEALED = 0x800;
/** VM_DONTCOPY: not in the child after fork. */
export const AREA_DONTFORK = 0x1000;
/** VM_WIPEONFORK: zero in the child after fork. */
export const AREA_WIPEONFORK = 0x2000;
/** VM_RAND_READ and VM_SEQ_READ. */
export const AREA_RANDOM = 0x4000;
/** Accesses are expected in order (MADV_SEQUENTIAL). */
export const AREA_SEQUENTIAL = 0x8000;
/** VM_HUGEPAGE and VM_NOHUGEPAGE: hints that only `smaps` shows. */
export const AREA_HUGEPAGE = 0x10000;
/** No huge pages (MADV_NOHUGEPAGE). */
export const AREA_NOHUGEPAGE = 0x20000;
/** VM_DROPPABLE. */
export const AREA_DROPPABLE = 0x40000;
/** VM_MERGEABLE and VM_DONTDUMP: hints that nothing here follows, but that keep areas apart. */
export const AREA_MERGEABLE = 0x80000;
/** Left out of core dumps (MADV_DONTDUMP). */
export const AREA_DONTDUMP = 0x100000;
/** VM_SYNC: MAP_SYNC still keeps areas apart where it is ignored. */
export const AREA_SYNC = 0x200000;
/** The number of its name, from AREA_NAME_SHIFT on; 0 for none (objects/area-names.ts). */
export const AREA_NAME_SHIFT = 22;
/** The bits that hold the number of its name. */
export const AREA_NAME: number = 0x1ff << AREA_NAME_SHIFT;
/** The highest numbers stand for the kernel's special mappings. */
export const AREA_VVAR: number = 0x1fd << AREA_NAME_SHIFT;
/** The name [vvar_vclock]. */
export const AREA_VVAR_VCLOCK: number = 0x1fe << AREA_NAME_SHIFT;
/** The name [vdso]. */
export const AREA_VDSO: number = 0x1ff << AREA_NAME_SHIFT;

/** The flags that mlock sets and munlock takes away (Linux: VM_LOCKED_MASK). */
export const AREA_LOCK_FLAGS: number = AREA_LOCKED | AREA_LOCKONFAULT;

/**
 * Area flags for mmap's prot and flags, except what depends on a descriptor. MAP_STACK means "no
 * huge pages", as in Linux from 6.7 on.
 */
export function areaFlags(prot: number, mapFlags: number): number {
  let flags = prot & AREA_PROT;
  const type = mapFlags & M.MAP_TYPE;
  if (type === M.MAP_SHARED || type === M.MAP_SHARED_VALIDATE) flags |= AREA_SHARED;
  if (type === M.MAP_DROPPABLE) {
    flags |= AREA_DROPPABLE | AREA_NORESERVE | AREA_WIPEONFORK | AREA_DONTDUMP;
  }
  if ((mapFlags & M.MAP_GROWSDOWN) !== 0) flags |= AREA_GROWSDOWN;
  if ((mapFlags & M.MAP_LOCKED) !== 0) flags |= AREA_LOCKED;
  if ((mapFlags & M.MAP_NORESERVE) !== 0) flags |= AREA_NORESERVE;
  if ((mapFlags & M.MAP_STACK) !== 0) flags |= AREA_NOHUGEPAGE;
  if ((mapFlags & M.MAP_SYNC) !== 0) flags |= AREA_SYNC;
  return isAccountable(flags) ? flags | AREA_ACCOUNT : flags;
}

/** Whether the area is one of [vvar], [vvar_vclock] and [vdso]. */
export function isVdsoArea(flags: number): boolean {
  return (flags & AREA_NAME) >= AREA_VVAR;
}

/** A shared mapping that may be written, now or after mprotect (Linux: VM_SHARED). */
export function isWriter(flags: number): boolean {
  return (flags & (AREA_SHARED | AREA_NO_WRITE)) === AREA_SHARED;
}

/** Private memory that may be written counts against the commit limit (accountable_mapping). */
export function isAccountable(flags: number): boolean {
  return (flags & (AREA_NORESERVE | AREA_SHARED | M.PROT_WRITE)) === M.PROT_WRITE;
}

/** Linux's is_data_mapping: what RLIMIT_DATA limits. */
export function isDataArea(flags: number): boolean {
  return (flags & (M.PROT_WRITE | AREA_SHARED | AREA_GROWSDOWN)) === M.PROT_WRITE;
}
