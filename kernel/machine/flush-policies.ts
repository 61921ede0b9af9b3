/** The flush policies by name; flush.ts has them. A name's index is its code in the machine. */
export const FLUSH_POLICIES = ['sync', 'batched', 'lazy'] as const;
/** When stale translations are flushed. */
export type FlushPolicy = (typeof FLUSH_POLICIES)[number];
