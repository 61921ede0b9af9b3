/** What a syscall answers, negated, when it cannot go on where it runs. Beyond Linux's errnos. */

/** This CPU cannot do it, the kernel worker can. What was done so far can be done again. */
export const TRY_KERNEL = 0x1000;
/**
 * Page `cpu.faultPage` of `cpu.faultObject` must be supplied first, then the whole syscall is
 * called again. The caller has a reference on the object (releaseFaultObject). What was done so
 * far can be done again, with the same outcome.
 */
export const WAIT_PAGE = 0x1001;
