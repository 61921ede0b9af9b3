/** The audit of futexes: queues against the waiters that processes own. */
import { peek } from '../../shared/atomics.ts';
import * as FUTEX from '../../shared/layout/futex.ts';
import * as PROCESS from '../../shared/layout/process.ts';
import * as FUTEX_QUEUE from '../../shared/layout/futex-queue.ts';
import * as SLAB from '../../shared/layout/slabs.ts';
import { FUTEX_BUCKETS } from '../../shared/limits.ts';
import type { FutexBlock, WordIndex } from '../../shared/units.ts';
import type { Cpu } from '../machine/cpu.ts';
import { slabLive } from '../frames/slab.ts';
import { bucketOf, keyOf } from '../processes/futex-queue.ts';
import { allPids, processOf } from '../processes/pid-table.ts';
import type { AuditLedger } from './audit-ledger.ts';

export function auditFutexes(cpu: Cpu, ledger: AuditLedger): void {
  const queued = new Set<FutexBlock>();
  for (let i = 0; i < FUTEX_BUCKETS; i++) {
    auditQueue(cpu, ledger, cpu.machine.futexQueues + i * FUTEX_QUEUE.WORDS, queued);
  }
  const owned = auditOwners(cpu, ledger, queued);
  const live = slabLive(cpu.machine, SLAB.FUTEX);
  ledger.check(live === owned, `futexes: ${live} waiters, ${owned} that processes own`);
  ledger.check(queued.size <= owned, `futexes: ${queued.size} queued, ${owned} owned`);
  ledger.tally('futexWaiters', owned);
}

function auditQueue(
  cpu: Cpu,
  ledger: AuditLedger,
  bucket: WordIndex,
  queued: Set<FutexBlock>,
): void {
  const { words, machine } = cpu;
  ledger.check(peek(words, bucket + FUTEX_QUEUE.LOCK) === 0, `futex queue ${bucket}: locked`);
  let previous = 0;
  let waiter: FutexBlock = peek(words, bucket + FUTEX_QUEUE.FIRST);
  while (waiter !== 0 && !queued.has(waiter)) {
    const where = `futex waiter ${waiter}`;
    queued.add(waiter);
    ledger.check(peek(words, waiter + FUTEX.STATE) === FUTEX.WAITING, `${where}: queued, woken`);
    ledger.check(bucketOf(machine, keyOf(machine, waiter)) === bucket, `${where}: wrong queue`);
    ledger.check(peek(words, waiter + FUTEX.PREVIOUS) === previous, `${where}: links`);
    previous = waiter;
    waiter = peek(words, waiter + FUTEX.NEXT);
  }
  ledger.check(waiter === 0, `futex queue ${bucket}: waiter ${waiter} is in it twice`);
  ledger.check(peek(words, bucket + FUTEX_QUEUE.LAST) === previous, `futex queue ${bucket}: last`);
}

/** Waiters by their processes; one that waits is in a queue. How many there are. */
function auditOwners(cpu: Cpu, ledger: AuditLedger, queued: ReadonlySet<FutexBlock>): number {
  const { words, machine } = cpu;
  let owned = 0;
  for (const pid of allPids(machine)) {
    const proc = processOf(machine, pid);
    let waiter: FutexBlock = peek(words, proc + PROCESS.FUTEXES);
    for (; waiter !== 0; waiter = peek(words, waiter + FUTEX.OWN_NEXT)) {
      const isWaiting = peek(words, waiter + FUTEX.STATE) === FUTEX.WAITING;
      const isSound =
        queued.has(waiter) === isWaiting && peek(words, waiter + FUTEX.OWNER) === proc;
      ledger.check(isSound, `futex waiter ${waiter} of process ${pid}: state or owner`);
      owned++;
    }
  }
  return owned;
}
