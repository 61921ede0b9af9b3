/** Seeded bugs of CPUs that reach for a process which ends or changes meanwhile. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const PROCESS = 'kernel/processes/process.ts';
const PRIORITY = 'kernel/syscalls/priority.ts';
const FOUND = '  const found = target(cpu, proc, which, who);\n';
const TAKEN = 'record.push(load(words, at + LOG.TIME + i));';
const RLIMIT = 'kernel/syscalls/rlimit.ts';

export const PROCESS_MUTANTS: readonly Mutant[] = [
  {
    name: 'start-unlocked',
    about: 'the block may be freed and reused between the look into the pid table and the claim',
    scenario: 'start-kill',
    protocol: 'rcu',
    patches: [
      patch(
        PROCESS,
        '  lock(cpu, BOOT.PROC_LOCK);\n  const proc = processOf',
        '  const proc = processOf',
      ),
      patch(PROCESS, '  unlock(cpu, BOOT.PROC_LOCK);\n  if (!isOurs)', '  if (!isOurs)'),
    ],
  },
  {
    name: 'priority-unlocked',
    about: 'the nice value is stored into a block that may be freed, and another process’s',
    scenario: 'priority-end',
    protocol: 'rcu',
    patches: [
      patch(
        PRIORITY,
        `  lock(cpu, BOOT.PROC_LOCK);\n${FOUND}  const outcome`,
        `${FOUND}  const outcome`,
      ),
      patch(PRIORITY, '  unlock(cpu, BOOT.PROC_LOCK);\n  return outcome;', '  return outcome;'),
    ],
  },
  {
    name: 'limits-unlocked',
    about: 'limits are stored into a space that may be freed, and another process’s',
    scenario: 'limits-end',
    protocol: 'rcu',
    patches: [
      patch(RLIMIT, '  lock(cpu, BOOT.PROC_LOCK);\n  const target', '  const target'),
      patch(RLIMIT, '  unlock(cpu, BOOT.PROC_LOCK);\n', ''),
    ],
  },
  {
    name: 'signal-between-actions',
    about: 'a signal that is caught, and ignored from now on, ends its process in between',
    scenario: 'signal-ignore',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/processes/signals.ts',
        '!isBlocked && !isCaught && (isSettled || signal === SIGKILL)',
        '!isBlocked && !isCaught',
      ),
    ],
  },
  {
    name: 'log-one-look',
    about: 'a reader of the full log takes a record whose place a new event takes meanwhile',
    scenario: 'log-read',
    protocol: 'rcu',
    patches: [
      patch(
        'kernel/machine/log.ts',
        `${TAKEN}\n    if (load(words, at + LOG.STAMP) !== sequence + 1) continue;`,
        TAKEN,
      ),
    ],
  },
];
