/** Seeded bugs of the kernel's access to a process's memory. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const FORCED_COPY = 'kernel/mmu/forced-copy.ts';
const BORROWED = 'kernel/processes/borrowed-space.ts';
const FORCED_FAULT = 'kernel/faults/forced-fault.ts';

export const REMOTE_MUTANTS: readonly Mutant[] = [
  {
    name: 'forced-write-remembered',
    about: 'once a forced write has made its copy, it takes whatever page it finds then',
    scenario: 'force-dontneed',
    protocol: 'rcu',
    patches: [
      patch(
        FORCED_COPY,
        '  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {\n' +
          '    protocol.lockPage(cpu, cursor, space, vpn);',
        '  let isCopied = false;\n' +
          '  for (let attempt = 0; attempt < FAULT_RETRIES_MAX; attempt++) {\n' +
          '    protocol.lockPage(cpu, cursor, space, vpn);',
      ),
      patch(
        FORCED_COPY,
        'if (write ? mayChange(cpu, at, entry) : pte.isPresent(entry)) return at;',
        'if (write && !isCopied ? mayChange(cpu, at, entry) : pte.isPresent(entry)) return at;',
      ),
      patch(
        FORCED_COPY,
        'let outcome = faultInKernel(cpu, space, vpn, write);',
        'let outcome = faultInKernel(cpu, space, vpn, write && !isCopied);',
      ),
      patch(
        FORCED_COPY,
        'if (outcome !== FAULT_DONE) return REFUSED;',
        'if (outcome !== FAULT_DONE) return REFUSED;\n    isCopied = true;',
      ),
    ],
  },
  {
    name: 'forced-write-in-place',
    about: 'a forced write changes a read-only page in place, though the page cache has it too',
    scenario: 'force-read',
    protocol: 'rcu',
    patches: [
      patch(
        FORCED_COPY,
        'return isPrivate && frameRefs(cpu.machine, pte.pfnOf(entry)) === 1;',
        'return isPrivate;',
      ),
    ],
  },
  {
    name: 'forced-write-forgotten',
    about:
      'fork takes a read-only area for one without pages of its own, though a write was forced',
    scenario: 'force-fork',
    protocol: 'rcu',
    patches: [
      patch(FORCED_FAULT, 'if (outcome === FAULT_DONE && write) prepareAnon(cpu, space, vpn);', ''),
    ],
  },
  {
    name: 'borrowed-unlocked',
    about: "another process's space is used without the lock under which its process lets go of it",
    scenario: 'remote-read-exit',
    protocol: 'rcu',
    patches: [
      patch(
        BORROWED,
        '  if (isAllowed) getSpace(cpu, space);\n  unlock(cpu, BOOT.PROC_LOCK);\n' +
          '  if (space === 0) return -ESRCH;',
        '  unlock(cpu, BOOT.PROC_LOCK);\n  if (isAllowed) getSpace(cpu, space);\n' +
          '  if (space === 0) return -ESRCH;',
      ),
    ],
  },
];
