/** Entry of the explore build: what the explorer gets out of the bundle. */
export { audit } from '../../../kernel/audit/audit.ts';
export { enterKernel, leaveKernel } from '../../../kernel/cpu/cpu-mode.ts';
export { handleFault } from '../../../kernel/faults/fault.ts';
export { PROTOCOLS } from '../../../kernel/locking/registry.ts';
export { peekEntry } from '../../../kernel/paging/table.ts';
export { tlbAudit, tlbCatchUp } from '../../../kernel/paging/tlb-sync.ts';
export { TLB_SLOTS, tlbReset } from '../../../kernel/paging/tlb.ts';
export { sysMmap } from '../../../kernel/syscalls/mmap.ts';
export { sysMprotect } from '../../../kernel/syscalls/mprotect.ts';
export { sysMunmap } from '../../../kernel/syscalls/munmap.ts';
export { boot, finish, newThreads } from './kit.ts';
export { SCENARIOS } from './scenarios/index.ts';
export * as userApi from './user-api.ts';
export * as runtime from '../runtime/index.ts';
