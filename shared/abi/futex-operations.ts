/** futex(2): operations that do not sleep (linux/futex.h). Waiting is futexWait. */
export const FUTEX_WAKE = 1;
/** Wakes some waiters, and lets others wait for another word. */
export const FUTEX_REQUEUE = 3;
/** The same if the word still holds an expected value. */
export const FUTEX_CMP_REQUEUE = 4;
/** Accepted; a word is identified by what is mapped, with or without it. */
export const FUTEX_PRIVATE_FLAG = 128;
