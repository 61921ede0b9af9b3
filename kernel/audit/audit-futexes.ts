/** The audit of futexes: queues against the waiters that processes own. */
import { peek } from '../../shared/atomics.ts';
import * as L from '../../shared/layout/regions.ts';
import { FUTEX_BUCKETS } from '../../shared/limits.ts';
import type { Cpu } from '../machine/cpu.ts';
import { slabLive } from '../frames/slab.ts';
import { bucketOf, keyOf } from '../processes/futex-queue.ts';
import { allPids, processOf } from '../processes/pid-table.ts';
import type { AuditLedger } from './audit-ledger.ts';

export function auditFutexes(cpu: Cpu, ledger: AuditLedger): void {
  const queued = new Set<number>();
  for (let i = 0; i < FUTEX_BUCKETS; i++) {
    auditQueue(cpu, ledger, cpu.machine.futexQueues + i * L.FUTEX_QUEUE_WORDS, queued);
  }
  const owned = auditOwners(cpu, ledger, queued);
  const live = slabLive(cpu.machine, L.SLAB_FUTEX);
  ledger.check(live === owned, `futexes: ${live} waiters, ${owned} that processes own`);
  ledger.check(queued.size <= owned, `futexes: ${queued.size} queued, ${owned} owned`);
  ledger.tally('futexWaiters', owned);
}

function auditQueue(cpu: Cpu, ledger: AuditLedger, bucket: number, queued: Set<number>): void {
  const { words, machine } = cpu;
  ledger.check(peek(words, bucket + L.U_LOCK) === 0, `futex queue ${bucket}: locked`);
  let previous = 0;
  let waiter = peek(words, bucket + L.U_FIRST);
  while (waiter !== 0 && !queued.has(waiter)) {
    const where = `futex waiter ${waiter}`;
    queued.add(waiter);
    ledger.check(peek(words, waiter + L.Q_STATE) === L.FUTEX_WAITING, `${where}: queued, woken`);
    ledger.check(bucketOf(machine, keyOf(machine, waiter)) === bucket, `${where}: wrong queue`);
    ledger.check(peek(words, waiter + L.Q_PREVIOUS) === previous, `${where}: links`);
    previous = waiter;
    waiter = peek(words, waiter + L.Q_NEXT);
  }
  ledger.check(waiter === 0, `futex queue ${bucket}: waiter ${waiter} is in it twice`);
  ledger.check(peek(words, bucket + L.U_LAST) === previous, `futex queue ${bucket}: last`);
}

/** Waiters by their processes; one that waits is in a queue. How many there are. */
function auditOwners(cpu: Cpu, ledger: AuditLedger, queued: ReadonlySet<number>): number {
  const { words, machine } = cpu;
  let owned = 0;
  for (const pid of allPids(machine)) {
    const proc = processOf(machine, pid);
    let waiter = peek(words, proc + L.P_FUTEXES);
    for (; waiter !== 0; waiter = peek(words, waiter + L.Q_OWN_NEXT)) {
      const isWaiting = peek(words, waiter + L.Q_STATE) === L.FUTEX_WAITING;
      const isSound = queued.has(waiter) === isWaiting && peek(words, waiter + L.Q_OWNER) === proc;
      ledger.check(isSound, `futex waiter ${waiter} of process ${pid}: state or owner`);
      owned++;
    }
  }
  return owned;
}
