/** The library, imported as 'faultline' by a host program. */
export { boot } from './boot/boot.ts';
export {
  MachineStopped,
  MemoryFault,
  ProcessKilled,
  SyscallError,
  WorkerDied,
} from './wire/errors.ts';
export { KernelPanic } from '../shared/panic.ts';
export type * from './api/machine-api.ts';
export type { LockingProtocolName } from '../kernel/locking/protocols.ts';
export type { FlushPolicy } from '../kernel/machine/flush-policies.ts';
export type { InjectKind } from '../kernel/machine/inject.ts';
export type { ReclaimPolicyName } from '../kernel/reclaim/policies.ts';
export type * from './api/mapping-api.ts';
export type {
  BackendFailure,
  BackendResult,
  MappingBackend,
  PageTableLike,
} from '../kernel/areas/mapping-backend.ts';
export type { AddrRange } from '../shared/addr/addr-range.ts';
export type { Unit, VirtAddr } from '../shared/units.ts';
export type { Backend, Device } from './kernel/files/user-modules.ts';
