/** Seeded bugs of locks: taken in the wrong order, or released before what they protect is done. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const FUTEX = 'kernel/processes/futex.ts';
const LOCK_QUEUE = '  lock(cpu, bucket + FUTEX_QUEUE.LOCK);\n';
const FIND_QUEUE = '  const bucket = bucketOf(cpu.machine, key);\n';
const LOCK_PAGE = '  const entryWord = lockUserPage(cpu, space, address, false);\n';

export const LOCK_MUTANTS: readonly Mutant[] = [
  {
    name: 'fork-child-first',
    about: "fork locks the child's areas before the parent's",
    scenario: 'fork-write',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/lifecycle/fork.ts',
        '  protocol.lockAreas(cpu, parent);\n  protocol.lockAreas(cpu, child);',
        '  protocol.lockAreas(cpu, child);\n  protocol.lockAreas(cpu, parent);',
      ),
    ],
  },
  {
    name: 'futex-page-under-queue',
    about: 'a futex wait locks the queue first, and then the page of its word',
    scenario: 'futex-wait-wake',
    protocol: 'rcu',
    patches: [
      patch(FUTEX, LOCK_PAGE, ''),
      patch(
        FUTEX,
        '  if (entryWord < 0) return entryWord === REFUSED ? -E.EFAULT : -WAIT_PAGE;\n' +
          FIND_QUEUE,
        FIND_QUEUE,
      ),
      patch(FUTEX, LOCK_QUEUE, LOCK_QUEUE.replace(';\n', `;\n${LOCK_PAGE}`)),
    ],
  },
  {
    name: 'record-freed-unlocked',
    about:
      'the last reference to a mapping record is dropped under the lock, the record freed after it',
    scenario: 'record-intern-put',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/objects/record.ts',
        '  const object = addReference(cpu, id, -1) === 0 ? freeRecord(cpu, id) : 0;\n' +
          '  unlock(cpu, BOOT.RECORD_LOCK);\n',
        '  const refs = addReference(cpu, id, -1);\n' +
          '  unlock(cpu, BOOT.RECORD_LOCK);\n' +
          '  const object = refs === 0 ? freeRecord(cpu, id) : 0;\n',
      ),
    ],
  },
  {
    name: 'size-set-unlocked',
    about: "a truncation releases the object's lock before it sets the size",
    scenario: 'truncate-fault',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/objects/pages.ts',
        '  setSize(cpu, object, size);\n  unlock(cpu, object + OBJECT.LOCK);',
        '  unlock(cpu, object + OBJECT.LOCK);\n  setSize(cpu, object, size);',
      ),
    ],
  },
  {
    name: 'areas-unlocked-first',
    about: "reclaim releases the areas' lock before it has closed the range",
    scenario: 'age-access',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/reclaim/evict.ts',
        '  closeRange(op);\n  protocol.unlockAreas(cpu, space);\n}',
        '  protocol.unlockAreas(cpu, space);\n  closeRange(op);\n}',
      ),
    ],
  },
];
