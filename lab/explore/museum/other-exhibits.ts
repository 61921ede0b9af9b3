/** Bugs of kernels for research and teaching. */
import type { Exhibit } from './exhibit.ts';

export const OTHER_EXHIBITS: readonly Exhibit[] = [
  {
    name: 'asterinas-cow',
    original: 'asterinas, pull request 862 (2024)',
    wrong:
      'A write to a copy-on-write page enters a copy in its place, and flushes no TLB. The ' +
      'program goes on reading the old page.',
    fixed: 'Every change of an entry that is in use flushes it, inside the page-table API.',
    here: 'breakCow flushes after it has entered the copy. The mutant does not.',
    mutant: 'cow-no-flush',
    sources: [
      'https://github.com/asterinas/asterinas/pull/862',
      'https://github.com/asterinas/asterinas/issues/970',
    ],
  },
  {
    name: 'arceos-flush-all',
    original: 'ArceOS and StarryOS, pull request 2008 of tgoskits (2026)',
    wrong:
      'A flush of single addresses reaches all CPUs. From a certain number of pages on the ' +
      'whole TLB is flushed instead, by an instruction that does so on the CPU that ' +
      'executes it: others go on using the pages that a large munmap has freed.',
    fixed: 'The pull request uses the instruction that reaches all CPUs in both cases.',
    here:
      'shootDown tells all CPUs of any range. The mutant empties its own TLB if it is ' + 'large.',
    mutant: 'large-flush-local',
    sources: [
      'https://github.com/rcore-os/tgoskits/pull/2008',
      'https://github.com/arceos-org/page_table_multiarch/pull/32',
    ],
  },
  {
    name: 'xv6-cow-lab',
    original: "MIT's xv6 lab on copy-on-write, a published solution",
    wrong:
      'fork counts the references of a page in an array. The solution takes the lock of ' +
      'that array where a page is freed, and not where fork adds a reference: two CPUs that ' +
      'add one at the same time may count one.',
    fixed: 'All changes of a count happen under one lock, or by an atomic instruction.',
    here: 'getFrame adds atomically. The mutant loads, adds and stores.',
    mutant: 'refcount-race',
    sources: [
      'https://pdos.csail.mit.edu/6.828/2023/labs/cow.html',
      'https://git.hifuu.ink/gh0s7/xv6-labs/raw/commit/' +
        'c8bae855c532e59ff09f07f962f3690a7256b7c5/cowlab.md',
    ],
  },
];
