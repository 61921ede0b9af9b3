/** Seeded bugs of page tables, shootdowns and grace periods. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const TABLE = 'kernel/paging/table.ts';
const RANGE_OP = 'kernel/paging/range-op.ts';
const MAP_RANGE = 'kernel/paging/map-range.ts';
const SHOOTDOWN = 'kernel/paging/shootdown.ts';
const AREA_CHANGE = 'kernel/areas/area-change.ts';
const GRACE = 'kernel/frames/grace.ts';
const FLUSH = 'const flushed = op.flushEndVpn === op.flushStartVpn || flushRange(op);';

export const PAGING_MUTANTS: readonly Mutant[] = [
  {
    name: 'span-across-areas',
    about: 'advice divides an area, and not the entry that stands for pages of both parts',
    scenario: 'span-fault-advice',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/space/split.ts',
        'if (!splitSpans(op, vpnOf(startAddress), vpnOf(endAddress))) {',
        'if (startAddress < 0) {',
      ),
    ],
  },
  {
    name: 'record-before-flush',
    about: 'a mapping record goes before the flush: others conclude that nobody uses the object',
    scenario: 'truncate-munmap',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/space/shared-area-store.ts',
        'if (record !== ANONYMOUS) this.cpu.droppedRecords.push(record);',
        'putRecord(this.cpu, record);',
      ),
      patch(
        'kernel/space/shared-area-store.ts',
        'import { ANONYMOUS, getRecord }',
        'import { getRecord, putRecord }',
      ),
    ],
  },
  {
    name: 'present-plainly',
    about: 'entries of a linear region are entered by plain stores, under MMUs that walk meanwhile',
    scenario: 'rollback-present',
    protocol: 'rcu',
    patches: [
      patch(
        MAP_RANGE,
        '    store(cpu.words, at, pte.makeLeaf(frame',
        '    poke(cpu.words, at, pte.makeLeaf(frame',
      ),
      patch(MAP_RANGE, 'load, peek, store }', 'load, peek, poke }'),
    ],
  },
  {
    name: 'limit-checked-late',
    about: 'a permission changes before it is known whether there may be so many areas',
    scenario: 'rollback-grant',
    protocol: 'rcu',
    patches: [
      patch(
        AREA_CHANGE,
        'flags !== null && isFull(edit.store, nodes)',
        'flags !== null && nodes < 0',
      ),
      patch(
        AREA_CHANGE,
        '  mergeEdit(edit, flagsEqual, side);\n',
        `  mergeEdit(edit, flagsEqual, side);
  if (flags !== null && isFull(edit.store, edit.pieces.length - edit.old.length)) {
    return noNodes(start, end);
  }
`,
      ),
    ],
  },
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
        'if (op.flushEndVpn !== op.flushStartVpn) flushRange(op);\n' +
          '  for (const table of op.unlinked)',
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
    name: 'mode-before-generation',
    about: 'the CPUs to wait for are chosen before the generation advances',
    scenario: 'shootdown-return',
    protocol: 'rcu',
    patches: [
      patch(
        SHOOTDOWN,
        'const generation = announce(cpu, space, startVpn, pages);',
        'const modes: number[] = [];\n' +
          'for (let id = 0; id < cpu.machine.cpus; id++) {\n' +
          '  modes.push(load(cpu.words, cpu.machine.cpuBase + id * CPU.WORDS + CPU.MODE));\n' +
          '}\n' +
          'const generation = announce(cpu, space, startVpn, pages);',
      ),
      patch(
        SHOOTDOWN,
        'id !== cpu.id && load(cpu.words, block + CPU.MODE) === mode',
        'id !== cpu.id && modes[id] === mode',
      ),
    ],
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
        'if (compareExchange(words, at, old, entry) !== old) continue;',
        'poke(words, at, entry);',
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
    patches: [patch(RANGE_OP, 'noteFlush(op, vpn, pages);', '')],
  },
  {
    name: 'grace-ignores-others',
    about: 'the grace period looks at its own CPU only',
    scenario: 'table-freed-under-kernel',
    protocol: 'rcu',
    patches: [
      patch(
        GRACE,
        '& CPU.MODE_MASK) !== CPU.MODE_KERNEL) continue;',
        '& CPU.MODE_MASK) !== CPU.MODE_KERNEL || id !== cpu.id) continue;',
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
];
