/** Seeded bugs that other kernels have had, where no other mutant is one already (museum/). */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const SHOOTDOWN = 'kernel/paging/shootdown.ts';
const MUNMAP = 'kernel/syscalls/munmap.ts';

export const REAL_BUG_MUTANTS: readonly Mutant[] = [
  {
    name: 'mremap-no-flush',
    about: 'a page that has moved to another address can still be used at the old one',
    scenario: 'mremap-munmap',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/paging/move-range.ts',
        '  op.restricted = true;\n  noteFlush(op, vpn, 1);\n',
        '',
      ),
      patch('kernel/paging/move-range.ts', "import { noteFlush } from './range-log.ts';\n", ''),
    ],
  },
  {
    name: 'area-freed-at-once',
    about: 'the nodes of areas are freed while another CPU may be searching them without a lock',
    scenario: 'area-search-munmap',
    protocol: 'vma',
    patches: [
      patch(
        'kernel/frames/slab.ts',
        'if (SLAB.DEFERRED[slab] === true) retireFrame(cpu, pfn);',
        'if (SLAB.DEFERRED[slab] === undefined) retireFrame(cpu, pfn);',
      ),
    ],
  },
  {
    name: 'evict-late-flush',
    about: 'reclaim clears entries, unlocks them, and flushes later',
    scenario: 'evict-mprotect',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/reclaim/evict.ts',
        '  closeRange(op);\n  protocol.unlockAreas(cpu, space);\n  return { pages, slots };',
        '  protocol.unlockRange(cpu, op.cursor);\n  protocol.unlockAreas(cpu, space);\n' +
          '  protocol.lockAreas(cpu, space);\n' +
          '  protocol.lockRange(cpu, op.cursor, space, firstVpn, lastVpn + 1);\n' +
          '  closeRange(op);\n  protocol.unlockAreas(cpu, space);\n  return { pages, slots };',
      ),
    ],
  },
  {
    name: 'munmap-bounds-early',
    about:
      'munmap decides which tables go before it holds the lock: a stack grows into one of them',
    scenario: 'stack-grow-beside-munmap',
    protocol: 'rcu',
    patches: [
      patch(
        MUNMAP,
        '  protocol.lockAreas(cpu, space);\n  const outcome = unmapRange(cpu, space, ' +
          'areasOf(cpu, space), address, size);',
        '  protocol.lockAreas(cpu, space);\n' +
          '  const low = lowerBound(areasOf(cpu, space), address);\n' +
          '  const high = upperBound(areasOf(cpu, space), address + size);\n' +
          '  protocol.unlockAreas(cpu, space);\n  protocol.lockAreas(cpu, space);\n' +
          '  const areas = areasOf(cpu, space);\n' +
          '  const outcome = unmapRange(cpu, space, areas, address, size, low, high);',
      ),
      patch(
        MUNMAP,
        '  size: number,\n): number {\n  assertAreasHeld(cpu, space);',
        '  size: number,\n  low = lowerBound(areas, address),\n' +
          '  high = upperBound(areas, address + size),\n): number {\n' +
          '  assertAreasHeld(cpu, space);',
      ),
      patch(MUNMAP, 'vpnOf(lowerBound(areas, address));', 'vpnOf(low);'),
      patch(MUNMAP, 'vpnOf(upperBound(areas, address + size));', 'vpnOf(high);'),
    ],
  },
  {
    name: 'large-flush-local',
    about: 'a flush of many pages empties the TLB of the CPU that asks for it, and no other',
    scenario: 'shootdown-large',
    protocol: 'rcu',
    patches: [
      patch(
        SHOOTDOWN,
        '  const generation = announce(cpu, space, startVpn, pages);',
        '  if (pages > TLB_FLUSH_ALL_PAGES) {\n    tlbFlushAll(cpu.tlb);\n    return;\n  }\n' +
          '  const generation = announce(cpu, space, startVpn, pages);',
      ),
      patch(
        SHOOTDOWN,
        "import { condemnCpu, userMode } from '../machine/cpu-mode.ts';",
        "import { condemnCpu, userMode } from '../machine/cpu-mode.ts';\n" +
          "import { tlbFlushAll } from '../machine/tlb.ts';\n" +
          "import { TLB_FLUSH_ALL_PAGES } from '../../shared/limits.ts';",
      ),
    ],
  },
];
