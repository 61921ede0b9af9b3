/**
 * The kernel, for Workers that run it and for those who teach with it or write a protocol.
 * Everything here is synchronous and works on any SharedArrayBuffer that `formatMachine` made.
 */
export * from '../shared/addr.ts';
export * from '../shared/addr-arith.ts';
export * from '../shared/addr-range.ts';
export { KernelPanic } from '../shared/panic.ts';
export type { AreaIndexStore, AreaStore } from './area-store.ts';
export { audit } from './audit.ts';
export type { AuditResult } from './audit.ts';
export type { AuditOptions } from './audit-ledger.ts';
export { attachCpu } from './cpu.ts';
export type { Cpu, UserHooks } from './cpu.ts';
export {
  blockCpu,
  condemnCpu,
  enterKernel,
  enterUser,
  leaveKernel,
  leaveUser,
  startCpu,
  unblockCpu,
} from './cpu-mode.ts';
export { Cursor } from './cursor.ts';
export { handleFault } from './fault.ts';
export * from './fault-codes.ts';
export { closeFd, fdFlags, fdObject, openFd } from './fd.ts';
export { HeapAreaStore } from './heap-area-store.ts';
export { readHistogram, recordLatency } from './histogram.ts';
export type { LockingProtocol, LockingProtocolName } from './locking/protocol.ts';
export { DEFAULT_PROTOCOL, PROTOCOLS, PROTOCOL_NAMES, protocolNamed } from './locking/registry.ts';
export {
  dmesgLines,
  logEvent,
  LOG_BOOT,
  LOG_CPU_UP,
  LOG_OUT_OF_MEMORY,
  LOG_SEGFAULT,
} from './log.ts';
export { attachMachine, formatMachine } from './machine.ts';
export type { FormatOptions, Machine } from './machine.ts';
export * from './mapping-backend.ts';
export * from './mapping-result.ts';
export { formatMaps, formatSmaps } from './maps.ts';
export type { ObjectNames } from './maps.ts';
export * from './memory-area.ts';
export { MemorySet } from './memory-set.ts';
export { TRY_KERNEL, sysMmap } from './mmap.ts';
export { acknowledge, resumeUser, walk } from './mmu.ts';
export * from './mock-backend.ts';
export { sysMprotect } from './mprotect.ts';
export { sysMunmap } from './munmap.ts';
export { createObject, getObject, objectPages, objectSize, putObject } from './object.ts';
export type { ObjectSpec } from './object.ts';
export { releaseFaultObject } from './object-fault.ts';
export { abortPageIn, beginPageIn, finishPageIn, frameBytesOf, pageIsIn } from './page-in.ts';
export { populate } from './populate.ts';
export {
  allPids,
  createProcess,
  exitProcess,
  killProcess,
  pendingSignal,
  processName,
  processOf,
  releaseProcess,
  startProcess,
} from './process.ts';
export type { ProcessSpec } from './process.ts';
export { reapCpu } from './reap-cpu.ts';
export { stopRequested } from './stop.ts';
export { SYSCALL_NAMES, syscallIndex } from './syscall-names.ts';
export type { SyscallName } from './syscall-names.ts';
export { TLB_SLOTS, Tlb, tlbReset } from './tlb.ts';
export { cpuCounters, frameUsage, processUsage, publishTlbCounters, setJiffies } from './usage.ts';
export type { ProcessUsage } from './usage.ts';
