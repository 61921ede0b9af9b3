/** What a syscall returns, negated, when it cannot continue on this CPU. Beyond Linux's errnos. */

/** This CPU cannot do it, the kernel worker can. What was done so far can be repeated. */
export const TRY_KERNEL = 0x1000;
/**
 * Page `cpu.faultPage` of `cpu.faultObject` must be supplied first, then the whole syscall is
 * called again. The caller holds a reference to the object (releaseFaultObject). What was done so
 * far can be repeated with the same outcome.
 */
export const WAIT_PAGE = 0x1001;
