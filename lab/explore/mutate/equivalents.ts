/**
 * Mutants that are no bugs: the argument why no execution can show them. The score leaves them out.
 * An entry that no mutant has any more fails a test.
 */
const COUNTER = 'only a counter for reports comes earlier or later';
const SAME_VALUE = 'where it differs it stores the value that is there';
const KEPT_TABLE = 'an empty table stays linked, and is used again or freed with its space';
const OWN_WORD =
  'only the process’s own CPU writes the word, so that its order tells nobody anything';
const STRICTER = 'the flush is waited for where it need not be';

export const EQUIVALENTS: Readonly<Record<string, string>> = {
  'kernel/paging/table.ts:retireTable:swap-accesses:1': COUNTER,
  'kernel/paging/table.ts:freeTable:swap-accesses:1': COUNTER,
  'kernel/paging/table.ts:seek:off-by-one:2': 'it decides only whether an assertion holds',
  'kernel/paging/covering.ts:descends:off-by-one:1': KEPT_TABLE,
  'kernel/paging/range-op.ts:pruneTables:off-by-one:1': KEPT_TABLE,
  'kernel/paging/range-op.ts:pruneTables:off-by-one:2': KEPT_TABLE,
  'kernel/paging/range-op.ts:finishRange:early-free:1':
    'only a linear region enters pages that are taken back, and it holds its frames itself',
  'kernel/paging/range-op.ts:finishRange:early-free:3':
    'a retired table is freed when this CPU opens its next range, and by then it has flushed',
  'kernel/paging/range-op.ts:unlinkEmpty:off-by-one:1':
    'the flush waits for all CPUs of the space, whichever its pages; entries have their own',
  'kernel/paging/range-log.ts:noteFlush:off-by-one:1': SAME_VALUE,
  'kernel/paging/range-log.ts:noteFlush:off-by-one:2': SAME_VALUE,
  'kernel/paging/shootdown.ts:shootDown:drop-check:2':
    'awaitCpu looks at the mode first, and returns',
  'kernel/paging/shootdown.ts:awaitCpu:drop-check:1':
    'a spin that does not look ends in the loop that sleeps, which does',
  'kernel/paging/shootdown.ts:announce:drop-check:1':
    'a CPU that finds no record flushes everything',
  'kernel/paging/shootdown.ts:announce:swap-accesses:1':
    'both stores lie between the two stamps of their record',
  'kernel/paging/flush-lazy.ts:postponeFlush:swap-accesses:1':
    'records are looked at under the areas’ lock only, which is held',
  'kernel/paging/flush-lazy.ts:postponeFlush:split-update:1':
    'the generation is advanced under the areas’ lock only',
  'kernel/paging/flush-lazy.ts:postponeFlush:off-by-one:1': STRICTER,
  'kernel/paging/flush-lazy.ts:postponeFlush:off-by-one:2': STRICTER,
  'kernel/paging/flush-lazy.ts:postponeFlush:off-by-one:3': STRICTER,
  'kernel/paging/flush-lazy.ts:settleLazy:drop-check:1': STRICTER,
  'kernel/paging/flush-lazy.ts:settleLazy:drop-check:2': STRICTER,
  'kernel/paging/flush-lazy.ts:settleLazy:drop-check:3': STRICTER,
  'kernel/paging/flush-lazy.ts:settleLazy:off-by-one:1': STRICTER,
  'kernel/paging/map-range.ts:changeEntry:drop-check:3': STRICTER,
  'kernel/paging/map-range.ts:changeEntry:drop-check:4': STRICTER,
  'kernel/paging/map-range.ts:changeEntry:drop-check:5': STRICTER,
  'kernel/paging/map-range.ts:changeEntry:drop-check:6': STRICTER,
  'kernel/paging/move-range.ts:moveEntry:drop-check:1': STRICTER,
  'kernel/paging/move-range.ts:moveEntry:drop-check:2': STRICTER,
  'kernel/paging/move-range.ts:moveEntry:drop-check:3': STRICTER,
  'kernel/paging/object-range.ts:zapEntry:drop-check:8': STRICTER,
  'kernel/paging/object-range.ts:zapEntry:drop-check:9': STRICTER,
  'kernel/paging/undo.ts:restorePermissions:drop-check:3': STRICTER,
  'kernel/paging/undo.ts:restorePermissions:drop-check:4': STRICTER,
  'kernel/paging/flush-lazy.ts:swept:drop-check:1': STRICTER,
  'kernel/paging/flush-lazy.ts:swept:off-by-one:1': STRICTER,
  'kernel/paging/flush-lazy.ts:settleLazy:off-by-one:2': STRICTER,
  'kernel/paging/flush-lazy.ts:release:swap-accesses:1':
    'the areas’ lock is held, and who looks without it only asks whether the list is empty',
  'kernel/paging/map-range.ts:presentRange:off-by-one:3':
    'the last span of a linear region becomes a table of the same pages',
  'kernel/faults/fault.ts:handleFault:swap-accesses:1':
    'the frame is this CPU’s own, whether the page is locked or not',
  'kernel/faults/fault.ts:mayGrow:drop-check:1':
    'without an area that grows, growDown finds none either',
  'kernel/mmu/walk.ts:markEntry:drop-check:4': SAME_VALUE,
  'kernel/processes/signals.ts:setAction:swap-accesses:2': OWN_WORD,
};
