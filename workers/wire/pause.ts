/** How the host and the kernel worker agree on a pause: one word in memory of their own. */

/** One word, PAUSE_ASKED at first. */
export type PauseGate = Int32Array<SharedArrayBuffer>;

/** The host has asked for a pause. */
export const PAUSE_ASKED = 0;
/** The kernel worker has stopped the machine, and waits. */
export const PAUSE_HELD = 1;
/** The host ends the pause, perhaps before it has begun. */
export const PAUSE_OVER = 2;
