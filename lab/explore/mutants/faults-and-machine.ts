/** Seeded bugs of faults, copy-on-write, objects, locks and CPUs. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const RANGE_OP = 'kernel/paging/range-op.ts';
const FAULT = 'kernel/faults/fault.ts';
const COW = 'kernel/faults/cow.ts';
const FRAMES = 'kernel/frames/frames.ts';
const SPINLOCK = 'kernel/machine/spinlock.ts';
const CPU_MODE = 'kernel/machine/cpu-mode.ts';
const PROCESS = 'kernel/processes/process.ts';
const KERNEL_ENTRY = 'kernel/mmu/kernel-entry.ts';
const COW_FLUSH = 'if ((entry & pte.PTE_A) !== 0) shootDown(cpu, space, vpn, 1);';

export const OTHER_MUTANTS: readonly Mutant[] = [
  {
    name: 'grown-meanwhile',
    about: 'a stack that another thread has grown past the page meanwhile is a refusal',
    scenario: 'stack-grow',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/faults/fault.ts',
        'return !pte.isGuard(peekEntry(cpu, space, vpn)) && growDown',
        'return peekEntry(cpu, space, vpn) === 0 && growDown',
      ),
    ],
  },
  {
    name: 'mlock-begun-again',
    about: 'mlock that has waited for a page marks its areas once more',
    scenario: 'swapped+munmap+mlock',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/syscalls/rest.ts',
        'return { number: MLOCK_REST, args',
        'return { number, args',
      ),
    ],
  },
  {
    name: 'refused-at-once',
    about: 'populating believes a refusal without looking at the area again',
    scenario: 'anon+munmap+populate',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/mmu/populate.ts',
        'if (area === null || vpnOf(area.start) > vpn) return -ENOMEM;',
        'refusedVpn = vpn;\n    if (area === null || vpnOf(area.start) > vpn) return -ENOMEM;',
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
    scenario: 'fault-fault-write',
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
        'while (cursor.level > 0 && decidesForSpan(entry, write)) {',
        'while (cursor.level > 0 && !pte.isTable(entry) && decidesForSpan(entry, write)) {',
      ),
    ],
  },
  {
    name: 'zero-span-over-table',
    about: 'a span becomes the zero page though a parallel fault has just made it a table',
    scenario: 'zero-span-write',
    protocol: 'vma',
    patches: [
      patch(
        'kernel/faults/zero-span.ts',
        'if (compareExchange(words, at, entry, leaf) !== entry) return false;',
        'if (compareExchange(words, at, load(words, at), leaf) === 0) return false;',
      ),
    ],
  },
  {
    name: 'zero-span-written-whole',
    about: 'the first write to a span of the zero page takes the whole span for the page',
    scenario: 'zero-span-munmap',
    protocol: 'rcu',
    patches: [
      patch(
        FAULT,
        'if (pte.isZeroPage(entry)) return write;',
        'if (pte.isZeroPage(entry)) return false;',
      ),
    ],
  },
  {
    name: 'missing-rollback',
    about: 'an operation that fails in the middle leaves its changes',
    scenario: 'out-of-memory-unmap',
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
        'const before = add(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT), 1);',
        'const before = load(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT));\n' +
          '  add(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT), before + 1 - ' +
          'peek(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT)));',
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
        'kernel/objects/pages.ts',
        '    result = indexLookup(cpu, object, page);\n    if (result === 0) result = indexInsert',
        '    result = indexInsert',
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
        'lock(cpu, BOOT.RECORD_LOCK);\n  let id = findRecord(cpu, object, delta, shared);',
        'let id = findRecord(cpu, object, delta, shared);\n  lock(cpu, BOOT.RECORD_LOCK);',
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
        'lock(cpu, BOOT.SLAB_LOCK);\n  giveSlot(cpu, slab, at);',
        'lock(cpu, BOOT.SLAB_LOCK);\n  lock(cpu, BOOT.RECORD_LOCK);\n' +
          '  unlock(cpu, BOOT.RECORD_LOCK);\n  giveSlot(cpu, slab, at);',
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
    patches: [patch(KERNEL_ENTRY, 'if (load(words, BOOT.STOP) === 0) return;', 'return;')],
  },
  {
    name: 'mode-read-plainly',
    about: 'a CPU reads its own mode in no order, although a killer writes it too',
    scenario: 'condemn-entry',
    protocol: 'rcu',
    patches: [
      patch(KERNEL_ENTRY, 'let seen = load(cpu.words, at);', 'let seen = peek(cpu.words, at);'),
    ],
  },
  {
    name: 'condemn-without-exchange',
    about: 'a CPU is condemned by a store, whatever it is doing by then',
    scenario: 'condemn-entry',
    protocol: 'rcu',
    patches: [
      patch(
        CPU_MODE,
        'if (compareExchange(cpu.words, at, seen, CPU.MODE_DEAD) !== seen) return false;',
        'store(cpu.words, at, CPU.MODE_DEAD);',
      ),
    ],
  },
  {
    name: 'recall-begun',
    about: 'a process is taken back from a dead CPU although its program has begun there',
    scenario: 'recall-begin',
    protocol: 'rcu',
    patches: [
      patch(
        PROCESS,
        'if (proc === 0 || hasBegun(machine, pid)) return false;',
        'if (proc === 0) return false;',
      ),
    ],
  },
  {
    name: 'begin-unseen',
    about: 'a CPU begins a program without a mark that others see',
    scenario: 'recall-begin',
    protocol: 'rcu',
    patches: [
      patch(
        PROCESS,
        'store(cpu.words, processOf(cpu.machine, pid) + PROCESS.BEGUN, 1);',
        'peek(cpu.words, processOf(cpu.machine, pid) + PROCESS.BEGUN);',
      ),
    ],
  },
];
