/**
 * The kernel, for the Workers that run it, for teaching, and for authors of locking protocols.
 * Everything here is synchronous and works on any SharedArrayBuffer that `formatMachine` made.
 */
export * from '../shared/addr/addr.ts';
export * from '../shared/addr/addr-arith.ts';
export * from '../shared/addr/addr-range.ts';
export * from '../shared/units.ts';
export { KernelPanic } from '../shared/panic.ts';
export * from './areas/index.ts';
// The backends of the machine, for address spaces of one's own.
export { MachineBackend } from './backends/backend.ts';
export { ArrangedBackend } from './backends/arranged.ts';
export { LazyBackend } from './backends/lazy.ts';
export { LinearBackend } from './backends/linear.ts';
export { ObjectBackend } from './backends/paged.ts';
export { backendOf } from './backends/registry.ts';
export { UserBackend } from './backends/user.ts';
export * from './machine/area-flags.ts';
export { ANONYMOUS, internRecord, putRecord, recordAt } from './objects/record.ts';
export { clearRange, presentRange, protectRange, reserveRange } from './paging/map-range.ts';
export { firstUnlike } from './paging/range-check.ts';
export { RangeOp, closeRange } from './paging/range-op.ts';
export { peekEntry } from './paging/table.ts';
export { openRange } from './space/open-range.ts';
export type { Area } from './space/shared-area-store.ts';
export { areasOf, createSpace, putSpace } from './space/space.ts';
export type { AreaSet } from './space/space.ts';
export { audit } from './audit/audit.ts';
export { resumeMachine, stopMachine } from './audit/stop.ts';
export type { Stopped } from './audit/stop.ts';
export type { AuditResult } from './audit/audit.ts';
export type { AuditOptions } from './audit/audit-ledger.ts';
export { attachCpu } from './machine/cpu.ts';
export type { Cpu, MappingChange, UserHooks } from './machine/cpu.ts';
export {
  blockCpu,
  condemnCpu,
  enterUser,
  leaveKernel,
  leaveUser,
  startCpu,
} from './machine/cpu-mode.ts';
export { assertHeld } from './machine/held-locks.ts';
export { enterKernel, stopRequested, unblockCpu } from './mmu/kernel-entry.ts';
export { acknowledge, sweepTlb } from './mmu/tlb-sync.ts';
export { translate } from './mmu/access.ts';
export type { AccessHost } from './mmu/access.ts';
export { hasSignal, pendingSignal, poll } from './mmu/poll.ts';
export {
  AccessGate,
  UserContext,
  UserMode,
  contextOf,
  dropContext,
  enterUserMode,
  forgetContext,
  leaveKernelMode,
  leaveUserMode,
  passKernel,
  resumeUser,
} from './mmu/user-mode.ts';
export { Cursor } from './machine/cursor.ts';
export {
  INJECT_BACKEND,
  INJECT_KINDS,
  INJECT_READ,
  INJECT_SWAP,
  INJECT_WORKER,
  holdInjections,
  injected,
  injectionCounts,
  parseInjection,
} from './machine/inject.ts';
export type { InjectKind, Injection, NumberIn, PlaceOf } from './machine/inject.ts';
export { formatMachine, machineBytes } from './format.ts';
export type { FormatOptions } from './format.ts';
export { handleFault } from './faults/fault.ts';
export { resolveFault } from './mmu/miss.ts';
export * from './machine/fault-codes.ts';
export { closeFd, fdFile, fdFlags, fdObject, isStreamFd, openFd } from './objects/fd.ts';
export { fileObject, filePosition, putFile } from './objects/open-file.ts';
export { changedObject, resizeObject } from './files/truncate.ts';
export {
  beginWriteBack,
  cleanObject,
  endWriteBack,
  isWrittenBack,
  takeDirty,
} from './files/write-back.ts';
export type { DirtyPage } from './files/write-back.ts';
export { PAGE_ABSENT, dropPages, getPage, markDirty } from './objects/pages.ts';
export {
  areMemfdFlags,
  createMemoryFile,
  memfdCreate,
  memfdOpenFlags,
  memfdSeals,
  openObject,
} from './syscalls/open.ts';
export { createProcessMemory } from './syscalls/process-memory.ts';
export { readHistogram, recordLatency } from './reports/histogram.ts';
export type { Quantiles } from './reports/histogram.ts';
export type { LockingProtocol } from './machine/locking-protocol.ts';
export type { LockingProtocolName } from './locking/protocols.ts';
export { DEFAULT_PROTOCOL, PROTOCOLS, PROTOCOL_NAMES, protocolNamed } from './locking/protocols.ts';
export {
  dmesgLines,
  logEvent,
  LOG_BOOT,
  LOG_CPU_UP,
  LOG_OOM_KILL,
  LOG_OUT_OF_MEMORY,
  LOG_SWAP_READ,
  LOG_SWAP_WRITE,
  LOG_RUNAWAY,
} from './machine/log.ts';
export { loadWide, storeWide } from './frames/wide.ts';
export { prezero } from './frames/prezero.ts';
export { WASM_PAGE, WASM_PAGES_MAX } from './machine/machine-memory.ts';
export type { MachineMemory } from './machine/machine-memory.ts';
export type { PrivateMemory } from './machine/private-memory.ts';
export type { MachineSize } from '../shared/layout/regions.ts';
export type { Compiled } from './machine/compiled.ts';
export { attachMachine } from './machine/machine.ts';
export type { Machine } from './machine/machine.ts';
export type { ObjectNames } from './reports/area-rows.ts';
export { formatMaps } from './reports/maps.ts';
export { readPagemap } from './reports/pagemap.ts';
export { formatSmaps } from './reports/smaps.ts';
export { formatStatm, formatStatus } from './reports/status.ts';
export { sysMmap } from './syscalls/mmap.ts';
export { dispatch } from './syscalls/dispatch.ts';
export { MLOCK_REST, restOf } from './syscalls/rest.ts';
export type { Call } from './syscalls/rest.ts';
export { checkWait4, storeWait4 } from './syscalls/wait4.ts';
export type { Usage } from './syscalls/wait4.ts';
export { TRY_KERNEL, WAIT_PAGE } from './machine/wait-codes.ts';
export { FLUSH_POLICIES } from './machine/flush-policies.ts';
export type { FlushPolicy } from './machine/flush-policies.ts';
export { walk } from './mmu/walk.ts';
export { sysMprotect } from './syscalls/mprotect.ts';
export { sysMunmap } from './syscalls/munmap.ts';
export { createObject, getObject, objectPages, objectSize, putObject } from './objects/object.ts';
export { kindNumbered, kindOf } from './objects/kinds.ts';
export type { ObjectKind } from './objects/kinds.ts';
export type { ObjectSpec } from './objects/object.ts';
export { releaseFaultObject } from './faults/object-fault.ts';
export {
  abortPageIn,
  beginPageIn,
  finishPageIn,
  frameBytesOf,
  pageIsIn,
} from './faults/page-in.ts';
export { populate } from './mmu/populate.ts';
export {
  beginProgram,
  hasBegun,
  processCpu,
  processName,
  recallProcess,
  rehomeProcess,
  startProcess,
  withholdProcess,
} from './processes/process.ts';
export { allPids, livingProcess, processOf, spaceOfPid } from './processes/pid-table.ts';
export { createProcess } from './lifecycle/create.ts';
export { exitProcess, releaseProcess } from './lifecycle/exit.ts';
export { shrinkSpace } from './lifecycle/shrink-space.ts';
export { execProcess } from './lifecycle/exec.ts';
export { clearChildTid, storeUserWord } from './lifecycle/thread-words.ts';
export type { ProcessSpec } from './lifecycle/create.ts';
export { canBeWoken } from './processes/futex-wakers.ts';
export { futexBegin, futexFinish, futexSleep, futexWake } from './processes/futex.ts';
export * from './processes/signals.ts';
export { ITS_TURN } from './faults/give-way.ts';
export { NO_OBJECT, SWAP_STORE } from './faults/swap-in.ts';
export { putFrame } from './frames/frames.ts';
export { copyFromUser, copyToUser, isUserRange } from './mmu/user-copy.ts';
export { pinPages, unpinPages } from './mmu/pin.ts';
export { findCandidates } from './reclaim/candidates.ts';
export type { Candidate } from './reclaim/candidates.ts';
export { badness, residentPages } from './reclaim/badness.ts';
export { groupIsFull, groupOf, groupUsage } from './frames/memory-group.ts';
export type { MemoryGroup } from './frames/memory-group.ts';
export { agePages, evictPages } from './reclaim/evict.ts';
export type { Evicted } from './reclaim/evict.ts';
export { evictObjectPages } from './reclaim/object-pages.ts';
export type { EvictedCache } from './reclaim/object-pages.ts';
export { RECLAIM_POLICY_NAMES, reclaimPolicy } from './reclaim/policies.ts';
export type { Choice, ReclaimPolicy, ReclaimPolicyName } from './reclaim/policies.ts';
export { beginSwapRead, beginSwapWrite, endSwapWrite, finishSwapRead } from './objects/swap-map.ts';
export { dropCleanFrames } from './objects/swap-map.ts';
export {
  freeFrames,
  highWatermark,
  lowWatermark,
  memoryIsShort,
  shareFreeFrames,
  wantsMemory,
} from './reclaim/watermarks.ts';
export { sweepSpaces } from './lifecycle/sweep.ts';
export { reapCpu } from './lifecycle/reap-cpu.ts';
export { SYSCALL_NAMES, syscallIndex } from '../shared/abi/syscall-names.ts';
export type { SyscallName } from '../shared/abi/syscall-names.ts';
export type { LinuxName, NumericSyscall, Numbers } from '../shared/abi/syscalls.ts';
export { TLB_SLOTS, Tlb, tlbReset } from './machine/tlb.ts';
export { cpuCounters, frameUsage, processUsage, setJiffies } from './reports/usage.ts';
export type { ProcessUsage } from './reports/usage.ts';
// The parts for writing a locking protocol.
export * as atomics from '../shared/atomics.ts';
export * as layout from '../shared/layout/index.ts';
export * as pte from '../shared/pte.ts';
export { STAT, count } from './machine/cpu.ts';
export { readLock, readUnlock, tryReadLock, writeLock, writeUnlock } from './machine/rwlock.ts';
export { lock, unlock } from './machine/spinlock.ts';
export { descends } from './paging/covering.ts';
export { openAtRoot } from './paging/covering.ts';
export { frameField, frameWord } from './machine/machine.ts';
export { ROOT_LEVEL, indexAt, nextAt, pagesAt } from './machine/cursor.ts';
export { entryAt } from './paging/table.ts';
