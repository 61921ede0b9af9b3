/** Flags of an area in the running machine: PROT_* in the low bits, then the kind of mapping. */
import { MAP_SHARED, MAP_TYPE } from '../../shared/mman.ts';

export const AREA_PROT = 0x7;
export const AREA_SHARED = 0x8;
/** A shared mapping of a descriptor that is not open for writing: mprotect(+W) is EACCES. */
export const AREA_NO_WRITE = 0x10;

/** Area flags for mmap's prot and flags. */
export function areaFlags(prot: number, mapFlags: number): number {
  return (prot & AREA_PROT) | ((mapFlags & MAP_TYPE) === MAP_SHARED ? AREA_SHARED : 0);
}
