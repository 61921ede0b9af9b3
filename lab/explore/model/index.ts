/** Entry of the explore build: what the explorer gets out of the bundle. */
export { audit } from '../../../kernel/audit/audit.ts';
export { leaveKernel } from '../../../kernel/machine/cpu-mode.ts';
export { enterKernel } from '../../../kernel/mmu/kernel-entry.ts';
export { handleFault } from '../../../kernel/faults/fault.ts';
export { PROTOCOLS } from '../../../kernel/locking/protocols.ts';
export { peekEntry } from '../../../kernel/paging/table.ts';
export { tlbAudit, tlbCatchUp } from '../../../kernel/mmu/tlb-sync.ts';
export { TLB_SLOTS, tlbReset } from '../../../kernel/machine/tlb.ts';
export { sysMmap } from '../../../kernel/syscalls/mmap.ts';
export { sysMprotect } from '../../../kernel/syscalls/mprotect.ts';
export { sysMunmap } from '../../../kernel/syscalls/munmap.ts';
export { boot, finish, newThreads } from './kit.ts';
export { modelWordName } from './scratch.ts';
export { finalView } from './final-view.ts';
export { pairNamed, pairNames } from './pairs/index.ts';
export { SCENARIOS } from './scenarios/index.ts';
export * as userApi from './user-api.ts';
export * as runtime from '../runtime/index.ts';
