/** Seeded bugs of futexes, files, write-back, and references to frames. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const FUTEX = 'kernel/processes/futex.ts';
const QUEUE = 'kernel/processes/futex-queue.ts';
const REQUEUE = 'kernel/processes/futex-requeue.ts';
const SEALS = 'kernel/objects/seals.ts';
const FRAMES = 'kernel/frames/frames.ts';
const OBJECT_RANGE = 'kernel/paging/object-range.ts';

export const FUTEX_AND_FILE_MUTANTS: readonly Mutant[] = [
  {
    name: 'futex-compared-early',
    about: 'the word is compared before the queue is locked: a wake between the two is lost',
    scenario: 'futex-wait-wake',
    protocol: 'rcu',
    patches: [
      patch(FUTEX, '  lock(cpu, bucket + FUTEX_QUEUE.LOCK);\n', ''),
      patch(
        FUTEX,
        'const isAsExpected = value ===',
        'lock(cpu, bucket + FUTEX_QUEUE.LOCK);\n  const isAsExpected = value ===',
      ),
    ],
  },
  {
    name: 'futex-no-notify',
    about: 'a waiter is taken out of the queue, and sleeps on',
    scenario: 'futex-wait-wake',
    protocol: 'rcu',
    patches: [patch(QUEUE, '  notify(words, waiter + FUTEX.STATE, EVERYBODY);\n', '')],
  },
  {
    name: 'futex-finish-early',
    about: 'whoever gives up looks whether it was woken before it locks the queue',
    scenario: 'futex-give-up-wake',
    protocol: 'rcu',
    patches: [
      patch(
        FUTEX,
        'const bucket = lockBucketOf(cpu, waiter);\n',
        'const bucket = load(cpu.words, waiter + FUTEX.BUCKET);\n',
      ),
      patch(
        FUTEX,
        'if (!isWoken) dequeue',
        'lock(cpu, bucket + FUTEX_QUEUE.LOCK);\n  if (!isWoken) dequeue',
      ),
    ],
  },
  {
    name: 'futex-wake-unlocked',
    about: 'a wake takes the first waiter before it locks the queue',
    scenario: 'futex-give-up-wake',
    protocol: 'rcu',
    patches: [
      patch(
        QUEUE,
        'lock(cpu, bucket + FUTEX_QUEUE.LOCK);\n' +
          '  let waiter: FutexBlock = peek(words, bucket + FUTEX_QUEUE.FIRST);',
        'let waiter: FutexBlock = peek(words, bucket + FUTEX_QUEUE.FIRST);\n' +
          '  lock(cpu, bucket + FUTEX_QUEUE.LOCK);',
      ),
    ],
  },
  {
    name: 'requeue-left-behind',
    about: 'a waiter that gives up locks the queue that it was in before a requeue moved it',
    scenario: 'futex-requeue-finish',
    protocol: 'rcu',
    patches: [
      patch(
        QUEUE,
        'if (load(cpu.words, waiter + FUTEX.BUCKET) === bucket) return bucket;',
        'if (bucket !== 0) return bucket;',
      ),
    ],
  },
  {
    name: 'requeue-compared-early',
    about: 'a requeue compares the word before it locks the queues: a wake comes between',
    scenario: 'futex-cmp-requeue',
    protocol: 'rcu',
    patches: [
      patch(REQUEUE, '  lockBoth(cpu, source, target);\n', ''),
      patch(REQUEUE, '  let done = 0;\n', '  lockBoth(cpu, source, target);\n  let done = 0;\n'),
    ],
  },
  {
    name: 'requeue-as-named',
    about: 'a requeue locks the two queues in the order in which they are named',
    scenario: 'futex-requeue-crossed',
    protocol: 'rcu',
    patches: [
      patch(
        REQUEUE,
        'lock(cpu, Math.min(one, other) + FUTEX_QUEUE.LOCK);\n' +
          '  if (one !== other) lock(cpu, Math.max(one, other) + FUTEX_QUEUE.LOCK);',
        'lock(cpu, one + FUTEX_QUEUE.LOCK);\n' +
          '  if (one !== other) lock(cpu, other + FUTEX_QUEUE.LOCK);',
      ),
    ],
  },
  {
    name: 'frame-put-not-atomic',
    about: 'a reference to a frame is dropped by a load and a store: both holders see another one',
    scenario: 'cow-munmap-both',
    protocol: 'rcu',
    patches: [
      patch(
        FRAMES,
        'const before = add(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT), -1);',
        'const at = frameField(cpu.machine, pfn, FRAME.COUNT);\n' +
          '  const before = load(cpu.words, at);\n' +
          '  exchange(cpu.words, at, before - 1);',
      ),
      patch(FRAMES, 'import { add, fillWords,', 'import { add, exchange, fillWords,'),
    ],
  },
  {
    name: 'swap-count-read-plainly',
    about: 'whether only the swap map holds a frame is read in no order against those who drop it',
    scenario: 'evict-cow',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/objects/swap-map.ts',
        'return pfn !== 0 && frameRefs(cpu.machine, pfn) === 1;',
        'return pfn !== 0 && peek(cpu.words, frameField(cpu.machine, pfn, FRAME.COUNT)) === 1;',
      ),
    ],
  },
  {
    name: 'clean-no-flush',
    about: 'a page is written back while an old translation lets it be written unnoticed',
    scenario: 'write-back-store',
    protocol: 'rcu',
    patches: [
      patch(
        OBJECT_RANGE,
        'markDirty(cpu, pte.pfnOf(entry));\n    noteFlush(op, vpn, 1);',
        'markDirty(cpu, pte.pfnOf(entry));',
      ),
    ],
  },
  {
    name: 'truncate-no-flush',
    about: 'a page that was cut off stays in TLBs',
    scenario: 'truncate-user',
    protocol: 'rcu',
    patches: [
      patch(
        OBJECT_RANGE,
        'if (pte.isPresent(old) && (old & pte.PTE_A) !== 0) noteFlush(op, vpn, 1);',
        '',
      ),
    ],
  },
  {
    name: 'file-without-reference',
    about: 'a descriptor is looked up without keeping what it refers to',
    scenario: 'close-mmap',
    protocol: 'rcu',
    patches: [
      patch('kernel/objects/fd.ts', '  if (file !== 0) getFile(cpu, file);\n', ''),
      patch(
        'kernel/syscalls/mmap.ts',
        '  if (file !== 0) putFile(cpu, file);\n  return startAddress;',
        '  return startAddress;',
      ),
    ],
  },
  {
    name: 'seal-uncounted-mmap',
    about: 'mmap looks at the seals, and counts as a writer only once its area is there',
    scenario: 'seal-mmap',
    protocol: 'rcu',
    patches: [
      patch(SEALS, 'if (isAllowed) add(cpu.words, object + OBJECT.WRITERS, 1);', ''),
      patch(
        SEALS,
        'add(cpu.words, object + OBJECT.WRITERS, -1);',
        'load(cpu.words, object + OBJECT.WRITERS);',
      ),
    ],
  },
  {
    name: 'writer-gone-before-flush',
    about: 'an area is no writer any more before the flush: a seal promises what a TLB breaks',
    scenario: 'seal-munmap',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/space/shared-area-store.ts',
        'else this.cpu.droppedWriters.push(record);',
        'else countWriter(this.cpu, record, -1);',
      ),
    ],
  },
];
