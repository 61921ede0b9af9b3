/**
 * Seeded bugs: each a change of the kernel's source that the explore build applies, and that is
 * never in any other build. A change names text that must occur exactly once, so that a mutant
 * cannot silently stop being one when the kernel changes.
 */
import type { Patch } from './build/build-model.ts';

export interface Mutant {
  readonly name: string;
  readonly about: string;
  /** Where exploration is to find it. */
  readonly scenario: string;
  readonly protocol: string;
  readonly patches: readonly Patch[];
}

const patch = (path: string, find: string, replace: string): Patch => ({ path, find, replace });

const TABLE = 'kernel/paging/table.ts';
const RANGE_OP = 'kernel/paging/range-op.ts';
const MAP_RANGE = 'kernel/paging/map-range.ts';
const MMU = 'kernel/paging/mmu.ts';
const SHOOTDOWN = 'kernel/paging/shootdown.ts';
const GRACE = 'kernel/paging/grace.ts';
const FAULT = 'kernel/faults/fault.ts';
const COW = 'kernel/faults/cow.ts';
const FRAMES = 'kernel/frames/frames.ts';
const SPINLOCK = 'kernel/cpu/spinlock.ts';
const CPU_MODE = 'kernel/cpu/cpu-mode.ts';

const FLUSH = 'const flushed = op.flushEnd === op.flushStart || flushRange(op);';
const COW_FLUSH = 'if ((entry & pte.PTE_A) !== 0) shootDown(cpu, space, vpn, 1);';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'unlock-before-flush',
    about: 'the range is unlocked before the translations are gone',
    scenario: 'shootdown-observer',
    protocol: 'rcu',
    patches: [
      patch(
        RANGE_OP,
        'finishRange(op);\n  op.cpu.machine.protocol.unlockRange(op.cpu, op.cursor);',
        'op.cpu.machine.protocol.unlockRange(op.cpu, op.cursor);\n  finishRange(op);',
      ),
    ],
  },
  {
    name: 'free-before-ack',
    about: 'frames are freed before the CPUs have acknowledged',
    scenario: 'shootdown-user',
    protocol: 'rcu',
    patches: [
      patch(RANGE_OP, FLUSH, 'const flushed = true;'),
      patch(
        RANGE_OP,
        'for (const table of op.unlinked)',
        'if (op.flushEnd !== op.flushStart) flushRange(op);\n  for (const table of op.unlinked)',
      ),
    ],
  },
  {
    name: 'no-flush',
    about: 'nobody is told that entries were cleared',
    scenario: 'shootdown-write-protect',
    protocol: 'rcu',
    patches: [patch(RANGE_OP, FLUSH, 'const flushed = true;')],
  },
  {
    name: 'ack-before-flush',
    about: 'a CPU acknowledges before it has dropped its translations',
    scenario: 'shootdown-user',
    protocol: 'rcu',
    patches: [
      patch(
        MMU,
        'const generation = tlbCatchUp(cpu, tlb);',
        'store(cpu.words, cpu.base + L.C_ACK, load(cpu.words, tlb.space + L.S_TLB_GEN));\n' +
          'const generation = tlbCatchUp(cpu, tlb);',
      ),
    ],
  },
  {
    name: 'mode-before-generation',
    about: 'the CPUs to wait for are chosen before the generation advances',
    scenario: 'shootdown-return',
    protocol: 'rcu',
    patches: [
      patch(
        SHOOTDOWN,
        'const generation = announce(cpu, space, start, pages);',
        'const modes: number[] = [];\n' +
          'for (let id = 0; id < cpu.machine.cpus; id++) {\n' +
          '  modes.push(load(cpu.words, cpu.machine.cpuBase + id * L.CPU_WORDS + L.C_MODE));\n' +
          '}\n' +
          'const generation = announce(cpu, space, start, pages);',
      ),
      patch(
        SHOOTDOWN,
        'id !== cpu.id && load(cpu.words, block + L.C_MODE) === mode',
        'id !== cpu.id && modes[id] === mode',
      ),
    ],
  },
  {
    name: 'no-flush-on-switch',
    about: 'a CPU keeps the translations of the space that it leaves',
    scenario: 'space-switch',
    protocol: 'rcu',
    patches: [patch(MMU, 'tlbFlushAll(tlb);\n    tlb.space = space;', 'tlb.space = space;')],
  },
  {
    name: 'lost-dirty-bit',
    about: 'mprotect writes the entry back without noticing that the MMU changed it',
    scenario: 'shootdown-dirty',
    protocol: 'rcu',
    patches: [
      patch(
        MAP_RANGE,
        'if (compareExchange(words, at, old, entry) !== old) continue;',
        'poke(words, at, entry);',
      ),
    ],
  },
  {
    name: 'clear-not-atomic',
    about: 'munmap reads an entry and then clears it: an A bit set between is lost, and its flush',
    scenario: 'clear-accessed',
    protocol: 'rcu',
    patches: [
      patch(
        MAP_RANGE,
        'const old = exchange(words, at, 0);',
        'const old = load(words, at);\n  exchange(words, at, 0);',
      ),
    ],
  },
  {
    name: 'double-map',
    about: 'two faults on one page both enter their frame',
    scenario: 'fault-fault-write',
    protocol: 'rwlock',
    patches: [
      patch(
        FAULT,
        'if (compareExchange(cpu.words, at, entry, leaf) === entry) {',
        'if (compareExchange(cpu.words, at, load(cpu.words, at), leaf) !== 0) {',
      ),
    ],
  },
  {
    name: 'candidate-leaked',
    about: 'the loser of a race of two faults keeps its frame',
    scenario: 'fault-fault-read',
    protocol: 'rwlock',
    patches: [
      patch(
        FAULT,
        'count(cpu, STAT.raceLosses, 1);\n    freeFrame(cpu, pfn);',
        'count(cpu, STAT.raceLosses, 1);',
      ),
    ],
  },
  {
    name: 'no-second-look',
    about: 'a fault takes a table that another one has just made for an entry without permission',
    scenario: 'span-fault-fault',
    protocol: 'rwlock',
    patches: [
      patch(
        FAULT,
        'while (cursor.level > 0 && (pte.isTable(entry) || pte.isReserved(entry))) {',
        'while (cursor.level > 0 && pte.isReserved(entry)) {',
      ),
    ],
  },
  {
    name: 'publish-before-fill',
    about: 'a new table can be reached before it says what its span was',
    scenario: 'span-fault-fault',
    protocol: 'rwlock',
    patches: [
      patch(TABLE, '    fillChild(machine, child, level - 1, entry);\n', ''),
      patch(
        TABLE,
        'if (compareExchange(words, at, entry, pte.makeTable(child)) === entry) return true;',
        'if (compareExchange(words, at, entry, pte.makeTable(child)) === entry) {\n' +
          'fillChild(machine, child, level - 1, entry); return true; }',
      ),
    ],
  },
  {
    name: 'prune-without-flush',
    about: 'a table is unlinked without waiting for walks of the MMU that are in it',
    scenario: 'table-freed-under-walk',
    protocol: 'rcu',
    patches: [
      patch(
        RANGE_OP,
        'op.unlinked.push(table);\n  // A walk of the MMU may be in the table now: the shootdown waits for it.\n  noteFlush(op, vpn, pages);',
        'op.unlinked.push(table);',
      ),
    ],
  },
  {
    name: 'missing-rollback',
    about: 'an operation that fails in the middle leaves its changes',
    scenario: 'out-of-memory-split',
    protocol: 'rcu',
    patches: [
      patch(
        RANGE_OP,
        'for (let i = this.kinds.length - 1; i >= checkpoint; i--) undoEntry(this, i);',
        '',
      ),
    ],
  },
  {
    name: 'grace-ignores-others',
    about: 'the grace period looks at its own CPU only',
    scenario: 'table-freed-under-kernel',
    protocol: 'rcu',
    patches: [
      patch(
        GRACE,
        '& L.MODE_MASK) !== L.MODE_KERNEL) continue;',
        '& L.MODE_MASK) !== L.MODE_KERNEL || id !== cpu.id) continue;',
      ),
    ],
  },
  {
    name: 'limbo-freed-at-once',
    about: 'retired tables do not wait for their grace period',
    scenario: 'table-freed-under-kernel',
    protocol: 'rcu',
    patches: [patch(GRACE, 'if (((oldest - stamp) | 0) <= 0) return;', '')],
  },
  {
    name: 'cow-no-flush',
    about: 'after a copy on write others still read the old frame',
    scenario: 'cow-read-write',
    protocol: 'rcu',
    patches: [patch(COW, COW_FLUSH, '')],
  },
  {
    name: 'cow-flush-first',
    about: 'translations are flushed before the entry changes, not after',
    scenario: 'cow-read-write',
    protocol: 'rcu',
    patches: [
      patch(COW, COW_FLUSH, ''),
      patch(
        COW,
        'const copy = copyFrame(cpu, shared);',
        `${COW_FLUSH}\n  const copy = copyFrame(cpu, shared);`,
      ),
    ],
  },
  {
    name: 'cow-not-sole',
    about: 'a writer takes a frame over that somebody else holds too',
    scenario: 'cow-two-spaces',
    protocol: 'rcu',
    patches: [
      patch(COW, 'frameRefs(cpu.machine, shared) === 1', 'frameRefs(cpu.machine, shared) <= 3'),
    ],
  },
  {
    name: 'refcount-race',
    about: 'a reference to a frame is taken by a load and a store',
    scenario: 'frame-references',
    protocol: 'rcu',
    patches: [
      patch(
        FRAMES,
        'const before = add(cpu.words, frameField(cpu.machine, pfn, L.F_COUNT), 1);',
        'const before = load(cpu.words, frameField(cpu.machine, pfn, L.F_COUNT));\n' +
          '  add(cpu.words, frameField(cpu.machine, pfn, L.F_COUNT), before + 1 - ' +
          'peek(cpu.words, frameField(cpu.machine, pfn, L.F_COUNT)));',
      ),
    ],
  },
  {
    name: 'index-overwritten',
    about: 'the second frame of a shared page replaces the first in the page index',
    scenario: 'shared-fault-fault',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/objects/page-index.ts',
        'const seen = compareExchange(words, at, 0, pfn);',
        'const seen = compareExchange(words, at, load(words, at), pfn) < 0 ? pfn : 0;',
      ),
    ],
  },
  {
    name: 'record-unlocked',
    about: 'a mapping record is looked up without its lock',
    scenario: 'record-intern-put',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/objects/record.ts',
        'lock(cpu, L.B_RECORD_LOCK);\n  let id = findRecord(cpu, object, delta, shared);',
        'let id = findRecord(cpu, object, delta, shared);\n  lock(cpu, L.B_RECORD_LOCK);',
      ),
    ],
  },
  {
    name: 'wrong-lock-order',
    about: 'the record lock is taken under the slab lock',
    scenario: 'slab',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/frames/slab.ts',
        'lock(cpu, L.B_SLAB_LOCK);\n  giveSlot(cpu, slab, at);',
        'lock(cpu, L.B_SLAB_LOCK);\n  lock(cpu, L.B_RECORD_LOCK);\n' +
          '  unlock(cpu, L.B_RECORD_LOCK);\n  giveSlot(cpu, slab, at);',
      ),
    ],
  },
  {
    name: 'lost-wake-up',
    about: 'a lock is released without waking who sleeps for it',
    scenario: 'lock',
    protocol: 'rcu',
    patches: [patch(SPINLOCK, 'if ((held & CONTENDED) !== 0) notify(cpu.words, at, 1);', '')],
  },
  {
    name: 'contended-forgotten',
    about: 'a woken CPU takes the lock as if nobody else slept',
    scenario: 'lock',
    protocol: 'rcu',
    patches: [
      patch(
        SPINLOCK,
        'if (compareExchange(words, at, 0, mine | CONTENDED) === 0) return;',
        'if (compareExchange(words, at, 0, mine) === 0) return;',
      ),
    ],
  },
  {
    name: 'stop-not-checked',
    about: 'a CPU enters the kernel without looking whether the machine is stopped',
    scenario: 'stop-entry',
    protocol: 'rcu',
    patches: [patch(CPU_MODE, 'if (load(words, L.B_STOP) === 0) return;', 'return;')],
  },
  {
    name: 'condemn-without-exchange',
    about: 'a CPU is condemned by a store, whatever it is doing by then',
    scenario: 'condemn-entry',
    protocol: 'rcu',
    patches: [
      patch(
        CPU_MODE,
        'if (compareExchange(cpu.words, at, seen, L.MODE_DEAD) !== seen) return false;',
        'store(cpu.words, at, L.MODE_DEAD);',
      ),
    ],
  },
];
