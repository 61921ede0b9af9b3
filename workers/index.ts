/** The library, imported as 'faultline' by a host program. */
export { boot } from './boot.ts';
export { MachineStopped, MemoryFault, ProcessKilled, SyscallError, WorkerDied } from './errors.ts';
export { KernelPanic } from '../shared/panic.ts';
export type * from './api.ts';
export type { Backend, Device } from './extensions.ts';
