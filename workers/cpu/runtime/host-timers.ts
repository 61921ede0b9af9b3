/** The host's timers, for the machine's own use: programs get others (program-timers.ts). */
export const setHostTimeout: typeof setTimeout = globalThis.setTimeout;
export const clearHostTimeout: typeof clearTimeout = globalThis.clearTimeout;
