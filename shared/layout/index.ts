/**
 * All blocks under their names, for protocols outside this repository: `layout.SPACE.AREA_LOCK`.
 * Code in it imports the block's own file, which the bundler then inlines.
 */
export type { Block, Field } from './block.ts';
export * as AREA from './area.ts';
export * as AREA_NAME from './area-name.ts';
export * as BOOT from './boot.ts';
export * as CPU from './cpu.ts';
export * as DESCRIPTORS from './descriptors.ts';
export * as FILE from './file.ts';
export * as FRAME from './frame.ts';
export * as FUTEX_QUEUE from './futex-queue.ts';
export * as FUTEX from './futex.ts';
export * as GROUP from './group.ts';
export * as INJECT from './inject.ts';
export * as LAZY from './lazy-flush.ts';
export * as LOG from './log.ts';
export * as OBJECT from './object.ts';
export * as PIN from './pin.ts';
export * as PROCESS from './process.ts';
export * as RECORD from './record.ts';
export * as SLAB from './slabs.ts';
export * as SPACE from './space.ts';
export * as SWAP from './swap.ts';
