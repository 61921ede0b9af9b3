/** Seeded bugs of fork, copies of shared frames, and swap. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const FORK = 'kernel/lifecycle/fork.ts';
const COW = 'kernel/faults/cow.ts';
const EVICT = 'kernel/reclaim/evict.ts';
const SWAP_MAP = 'kernel/objects/swap-map.ts';
const SWAP_IN = 'kernel/faults/swap-in.ts';
const GROUP = 'kernel/frames/memory-group.ts';

export const FORK_AND_SWAP_MUTANTS: readonly Mutant[] = [
  {
    name: 'fork-no-flush',
    about: 'the parent goes on writing through translations from before fork',
    scenario: 'fork-write',
    protocol: 'rcu',
    patches: [patch(FORK, 'from.restricted = true;\n        noteFlush(from, vpn, 1);', '')],
  },
  {
    name: 'fork-no-reference',
    about: 'a shared frame is counted once for two entries',
    scenario: 'cow-child-exit',
    protocol: 'rcu',
    patches: [patch(FORK, 'getFrame(cpu, pfn);', '')],
  },
  {
    name: 'fork-child-writable',
    about: "the child's entry keeps the parent's permission to write",
    scenario: 'cow-parent-child',
    protocol: 'rcu',
    patches: [patch(FORK, 'return entry & ~pte.PTE_A;', 'return seen & ~pte.PTE_A;')],
  },
  {
    name: 'fork-settles-early',
    about: 'an area that is written between the look at all areas and the lock has no page to copy',
    scenario: 'fork-first-writes',
    protocol: 'rcu',
    patches: [patch(FORK, 'settleAnon(cpu, parent, 0, USER_PAGES);', '')],
  },
  {
    name: 'free-drops-written',
    about: 'a page is dropped after MADV_FREE although it has been written since',
    scenario: 'evict-freed',
    protocol: 'rcu',
    patches: [
      patch(
        EVICT,
        'compareExchange(cpu.words, at, entry, reserved) !== entry',
        'exchange(cpu.words, at, reserved) === 0',
      ),
    ],
  },
  {
    name: 'cow-reuse-shared',
    about: 'a writer takes a frame in place that somebody else has too',
    scenario: 'cow-parent-child',
    protocol: 'rcu',
    patches: [
      patch(COW, 'frameRefs(cpu.machine, shared) === 1', 'frameRefs(cpu.machine, shared) <= 2'),
    ],
  },
  {
    name: 'fork-slot-not-counted',
    about: "a child's entry names a swap slot that does not count it",
    scenario: 'swap-fork-exit',
    protocol: 'rcu',
    patches: [patch(FORK, 'getSlot(from.cpu, pte.reservedSlot(entry));', '')],
  },
  {
    name: 'evict-no-flush',
    about: 'a page is written to the store while its old translation still takes writes',
    scenario: 'evict-write',
    protocol: 'rcu',
    patches: [patch(EVICT, 'if ((old & pte.PTE_A) !== 0) noteFlush(op, vpn, 1);', '')],
  },
  {
    name: 'age-no-flush',
    about: 'an accessed bit is cleared under a translation that stays',
    scenario: 'age-access',
    protocol: 'rcu',
    patches: [patch(EVICT, 'if (now === entry) noteFlush(op, vpn, 1);', '')],
  },
  {
    name: 'swap-late-answer',
    about: "the store's answer for a page that has gone is taken for the slot's new page",
    scenario: 'swap-slot-reused',
    protocol: 'rcu',
    patches: [patch(SWAP_MAP, ' && peek(words, at + SWAP.USES) === uses', '')],
  },
  {
    name: 'swap-read-while-written',
    about: 'a slot is read from the store while its new page is on the way there',
    scenario: 'swap-read-write',
    protocol: 'rcu',
    patches: [patch(SWAP_MAP, 'const uses = isInStoreAlone(cpu, at)', 'const uses = at > 0')],
  },
  {
    name: 'swap-frame-not-held',
    about: 'a fault takes a frame out of the swap map without a reference',
    scenario: 'evict-fault',
    protocol: 'rcu',
    patches: [
      patch(
        SWAP_MAP,
        'slotAt(cpu.machine, slot) + SWAP.PFN);\n  if (pfn !== 0) getFrame(cpu, pfn);',
        'slotAt(cpu.machine, slot) + SWAP.PFN);',
      ),
    ],
  },
  {
    name: 'swap-loser-puts-slot',
    about: 'the loser of two faults on one slot gives the slot up as well',
    scenario: 'swap-in-twice',
    protocol: 'rwlock',
    patches: [
      patch(
        SWAP_IN,
        'count(cpu, STAT.raceLosses, 1);',
        'count(cpu, STAT.raceLosses, 1);\n    putSlot(cpu, slot);',
      ),
    ],
  },
  {
    name: 'group-lost-charge',
    about: "a group's count is read, changed and written back in three steps",
    scenario: 'group-full',
    protocol: 'rcu',
    patches: [
      patch(
        GROUP,
        'const now = add(words, group + GROUP.RESIDENT, pages) + pages;',
        'const now = load(words, group + GROUP.RESIDENT) + pages;\n' +
          '  store(words, group + GROUP.RESIDENT, now);',
      ),
    ],
  },
  {
    name: 'group-freed-early',
    about: 'a memory group ends with the first of its two last members',
    scenario: 'group-exit',
    protocol: 'rcu',
    patches: [
      patch(
        GROUP,
        'add(words, group + GROUP.SPACES, -1) > 1',
        'add(words, group + GROUP.SPACES, -1) > 2',
      ),
    ],
  },
];
