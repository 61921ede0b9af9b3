/** What operations return for an access that did not happen. */

/** Refused accesses return less than this: minus the FAULT_* code, minus the signal. */
export const REFUSED = -1000;
/** The result of an access of a process that is to end. */
export const KILLED = -2000;
