/**
 * 'faultline/explore': what a user's scenario module imports besides 'faultline/kernel'. The
 * explorer compiles the module together with the kernel; imported by anything else, operations run
 * alone.
 */
export type { Cpu } from '../../../kernel/machine/cpu.ts';
export type { FlushPolicy } from '../../../kernel/machine/flush-policies.ts';
export type { LockingProtocol } from '../../../kernel/machine/locking-protocol.ts';
export type { Machine } from '../../../kernel/machine/machine.ts';
export type { UserContext, UserMode } from '../../../kernel/mmu/user-mode.ts';
export * from './kit.ts';
export * from './operations.ts';
export { KILLED, REFUSED } from './result-codes.ts';
export { access, read, readPolled, write } from './user.ts';
