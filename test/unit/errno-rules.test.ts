/*
 * Goal: every rule about which errno a memory syscall gives, and in which order its checks are
 * made, holds here as it does on Linux 6.18. Method: one row a rule, each on a machine of its own;
 * the same sequences run against the host's kernel in the differential test.
 */
import { describe, expect, it } from 'vitest';

import { futex } from '../fixtures/errno-rules/futex.ts';
import * as limits from '../fixtures/errno-rules/limits.ts';
import { madvise } from '../fixtures/errno-rules/madvise.ts';
import * as mmap from '../fixtures/errno-rules/mmap.ts';
import { mremap } from '../fixtures/errno-rules/mremap.ts';
import { mprotect, munmap } from '../fixtures/errno-rules/munmap-mprotect.ts';
import * as prctl from '../fixtures/errno-rules/prctl.ts';
import * as others from '../fixtures/errno-rules/others.ts';
import { wait4 } from '../fixtures/errno-rules/wait4.ts';
import { widths } from '../fixtures/errno-rules/widths.ts';
import { Kit, outcome } from '../fixtures/errno-rules/kit.ts';
import { processMemory, processVm } from '../fixtures/errno-rules/remote.ts';
import * as seals from '../fixtures/errno-rules/seals.ts';
import type { Row } from '../fixtures/errno-rules/kit.ts';
import { expectClean } from '../support/kernel-helpers.ts';

const tables: Readonly<Record<string, readonly Row[]>> = {
  'mmap refuses': mmap.refused,
  'mmap, limits and seals': mmap.limits,
  'mmap accepts': mmap.accepted,
  munmap,
  mprotect,
  mremap,
  madvise,
  mincore: others.mincore,
  msync: others.msync,
  'mlock, munlock, mlockall': others.mlock,
  brk: others.brk,
  mseal: others.mseal,
  futex,
  'process_vm_readv, process_vm_writev': processVm,
  '/proc/PID/mem': processMemory,
  fallocate: seals.fallocate,
  'fcntl: seals': seals.seals,
  prlimit: seals.prlimit,
  'prctl: names': prctl.names,
  'prctl: heap and stack': prctl.marks,
  arch_prctl: prctl.vdso,
  'RLIMIT_MEMLOCK and privileges': limits.memlock,
  'each capability': limits.capabilities,
  wait4,
  'widths of arguments': widths,
  'getrlimit and setrlimit': limits.rlimit,
  'vm.max_map_count': limits.mapCount,
  'faults and signals': others.faults,
};

for (const [name, rows] of Object.entries(tables)) {
  describe(name, () => {
    for (const [what, expected, call, then] of rows) {
      it(`${what}: ${expected}`, () => {
        const kit = new Kit();
        expect(outcome(call(kit))).toBe(expected);
        then?.(kit);
        expectClean(kit.t);
      });
    }
  });
}
