/** Seeded bugs of the flush policies `sync` and `lazy`. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const LAZY = 'kernel/paging/flush-lazy.ts';
const TLB_SYNC = 'kernel/mmu/tlb-sync.ts';

export const FLUSH_MUTANTS: readonly Mutant[] = [
  {
    name: 'sync-first-only',
    about: 'under `sync` only the first of the changed entries is shot down',
    scenario: 'shootdown-two-pages-sync',
    protocol: 'rcu',
    patches: [
      patch('kernel/paging/flush.ts', 'i < op.flushes.length', 'i < 2 && i < op.flushes.length'),
    ],
  },
  {
    name: 'lazy-not-swept',
    about: 'lazily unmapped frames are released without looking whether the CPUs have swept',
    scenario: 'lazy-frame-reuse',
    protocol: 'rcu',
    patches: [
      patch(
        LAZY,
        'if (((load(words, block + CPU.LAZY_ACK) - generation) | 0) < 0) return false;',
        '',
      ),
    ],
  },
  {
    name: 'lazy-sweep-without-flush',
    about: 'a CPU says that it has swept, but keeps its translations',
    scenario: 'lazy-sweep',
    protocol: 'rcu',
    patches: [patch(TLB_SYNC, '  tlbFlushAll(tlb);\n  tlb.lazyGeneration', '  tlb.lazyGeneration')],
  },
  {
    name: 'lazy-not-settled',
    about: 'an address is mapped again although CPUs have not swept what was there',
    scenario: 'lazy-address-reuse',
    protocol: 'rcu',
    patches: [patch(LAZY, '      shootDown(cpu, space, firstVpn, pages);\n', '')],
  },
  {
    name: 'lazy-replace',
    about: 'a mapping that replaces another leaves its flush to a later sweep',
    scenario: 'mmap-fixed-replace-lazy',
    protocol: 'rcu',
    patches: [
      patch(
        LAZY,
        '  if (op.kinds.includes(LOG_FILL) || op.kinds.includes(LOG_PRESENT)) ' + 'return false;\n',
        '',
      ),
    ],
  },
  {
    name: 'lazy-restrict',
    about: 'a permission that goes is left to a later sweep',
    scenario: 'lazy-restrict',
    protocol: 'rcu',
    patches: [patch(LAZY, 'if (op.restricted || ', 'if (')],
  },
];
