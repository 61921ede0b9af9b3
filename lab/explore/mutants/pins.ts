/** Seeded bugs of pinned pages. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const PIN = 'kernel/mmu/pin.ts';
const FORK = 'kernel/lifecycle/fork.ts';
const EVICT = 'kernel/reclaim/evict.ts';
const PIN_COUNT = 'kernel/frames/pin-count.ts';

export const PIN_MUTANTS: readonly Mutant[] = [
  {
    name: 'pinned-while-shared',
    about: 'a page is pinned for reading although another space shares it, and may take it over',
    scenario: 'pin-cow',
    protocol: 'rcu',
    patches: [
      patch(
        PIN,
        'return (entry & pte.PTE_SHARED) !== 0 || isOwnPage(cpu, entry);',
        'return (entry & pte.PTE_SHARED) !== 0 || !pte.isZeroPage(entry) || isOwnPage(cpu, entry);',
      ),
    ],
  },
  {
    name: 'fork-shares-pinned',
    about: 'fork shares a pinned page with the child: the next write leaves the holder behind',
    scenario: 'pin-fork',
    protocol: 'rcu',
    patches: [
      patch(
        FORK,
        'const isCopied = pfn !== 0 && !isShared && isPinned(cpu.machine, pfn);',
        'const isCopied = pfn < 0 && !isShared && isPinned(cpu.machine, pfn);',
      ),
    ],
  },
  {
    name: 'fork-copies-pinned-early',
    about: 'fork copies a pinned page before the parent has stopped writing the pages it shares',
    scenario: 'pin-fork-order',
    protocol: 'rcu',
    patches: [
      patch(FORK, '  if (from.flushEndVpn !== from.flushStartVpn) flushRange(from);\n', ''),
      patch(FORK, "import { flushRange } from '../paging/flush.ts';\n", ''),
    ],
  },
  {
    name: 'evict-pinned',
    about: 'a pinned page is taken out of memory: its holder goes on with a frame that nobody maps',
    scenario: 'pin-evict',
    protocol: 'rcu',
    patches: [
      patch(EVICT, '  if (isPinned(cpu.machine, pte.pfnOf(entry))) return NOT_EVICTED;\n', ''),
    ],
  },
  {
    name: 'pin-not-atomic',
    about: 'a pin is noted by a load and a store',
    scenario: 'pin-pin',
    protocol: 'rcu',
    patches: [
      patch(
        PIN_COUNT,
        '  add(cpu.words, at, FRAME.PIN);\n',
        '  poke(cpu.words, at, load(cpu.words, at) + FRAME.PIN);\n',
      ),
      patch(PIN_COUNT, 'import { add, load }', 'import { add, load, poke }'),
    ],
  },
  {
    name: 'pin-after-unlock',
    about: "a page is pinned after its lock was released: it may have gone, and be somebody else's",
    scenario: 'pin-dontneed',
    protocol: 'rcu',
    patches: [
      patch(
        PIN,
        'const pinned = pinFrame(cpu, pfn);\n      protocol.unlockPage(cpu, cursor);',
        'protocol.unlockPage(cpu, cursor);\n      const pinned = pinFrame(cpu, pfn);',
      ),
    ],
  },
];
