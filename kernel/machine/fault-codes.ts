/** Outcomes of a page fault. */
/** Resolved here, or by another CPU meanwhile: walk again. */
export const FAULT_DONE = 0;
/** The entry allowed the access already. Internal to the fault handler. */
export const FAULT_SPURIOUS = 1;
/** No mapping: SIGSEGV, SEGV_MAPERR. */
export const FAULT_MAPERR = 2;
/** The mapping does not allow it: SIGSEGV, SEGV_ACCERR. */
export const FAULT_ACCERR = 3;
/** Beyond the end of the object: SIGBUS, BUS_ADRERR. */
export const FAULT_BUS = 4;
/** No frame. */
export const FAULT_NO_MEMORY = 5;
/** The kernel worker must supply page `cpu.faultPage` of `cpu.faultObject`: a major fault. */
export const FAULT_WAIT = 6;
/** The page is a device's: call the handler of `cpu.faultObject`. */
export const FAULT_DEVICE = 7;
/** Of an access (mmu/access.ts), not of a fault: the process has ended. */
export const FAULT_ENDED = 8;
/** Of a miss (mmu/miss.ts), not of a fault: resolved, and the page was taken away at once. */
export const FAULT_AGAIN = 9;
