/**
 * The memory model alone: a set of areas, each with a backend of its own, over a page table of the
 * caller's. It needs no machine, no Worker and no shared memory. docs/memory-set.md teaches it.
 */
export {
  ADDR_MAX,
  alignDown,
  alignOffset,
  alignUp,
  isAddr,
  isAligned,
  virtAddr,
} from '../../shared/addr/addr.ts';
export type { VirtAddr } from '../../shared/units.ts';
export { AddrRange } from '../../shared/addr/addr-range.ts';
export type { VirtAddrRange } from '../../shared/addr/addr-range.ts';
export { PAGE_SIZE } from '../../shared/limits.ts';
export type { FlagsEqual } from './area-flag-values.ts';
export type { AreaIndexStore, AreaStore, Side } from './area-store.ts';
export { HeapAreaStore } from './heap-area-store.ts';
export type {
  BackendFailure,
  BackendResult,
  MappingBackend,
  PageTableLike,
} from './mapping-backend.ts';
export { MAPPED, mappingFailure } from './mapping-result.ts';
export type { MappingError, MappingErrorKind } from './mapping-result.ts';
export type { MappingFailure, MappingResult } from './mapping-result.ts';
export { AREA_STATES, MemoryArea } from './memory-area.ts';
export type { AreaState, SplitResult } from './memory-area.ts';
export { MemorySet } from './memory-set.ts';
export type { UpdateFlags } from './memory-set.ts';
export {
  MOCK_ADDR_MAX,
  MockBackend,
  MockFaults,
  MockPageTable,
  mockMap,
  mockMemorySet,
} from './mock-backend.ts';
export type { MockMemorySet } from './mock-backend.ts';
