/** prctl(2) and arch_prctl(2) with the values of Linux x86-64 (linux/prctl.h, asm/prctl.h). */
export const PR_SET_MM = 35;
/** An address in the area that `maps` calls [stack]. */
export const PR_SET_MM_START_STACK = 5;
/** Where the heap begins and ends; the beginning must not be above the end. */
export const PR_SET_MM_START_BRK = 6;
/** Where the heap ends. */
export const PR_SET_MM_BRK = 7;
/** Says something of an area. */
export const PR_SET_VMA = 0x53564d41;
/** Names anonymous memory: `[anon:NAME]` in `maps`. */
export const PR_SET_VMA_ANON_NAME = 0;

/** Sets the fs base, an address that a thread keeps for itself. */
export const ARCH_SET_FS = 0x1002;
/** Writes it to user memory. */
export const ARCH_GET_FS = 0x1003;
/** Maps [vvar], [vvar_vclock] and [vdso]. */
export const ARCH_MAP_VDSO_64 = 0x2003;
