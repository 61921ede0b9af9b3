/** The syscalls with a latency, in the order of their histograms. `exit` never returns. */
import { HISTOGRAMS_MAX } from '../limits.ts';
import { assert } from '../panic.ts';
import { SYSCALLS } from './syscalls.ts';
import type { NumericSyscall } from './syscalls.ts';

/** Those that are messages, or more than one call into the kernel. */
const OTHERS = [
  'spawn',
  'clone',
  'fork',
  'vfork',
  'execve',
  'wait',
  'kill',
  'nanosleep',
  'futex_wait',
  'open',
  'fstat',
  'unlink',
  'memfd_create',
  'pager',
] as const;

/** The name of a syscall. */
export type SyscallName = NumericSyscall | (typeof OTHERS)[number];

/** The syscalls' names, in the order of their histograms. */
export const SYSCALL_NAMES: readonly SyscallName[] = [
  ...(Object.keys(SYSCALLS) as NumericSyscall[]),
  ...OTHERS,
];
assert(SYSCALL_NAMES.length <= HISTOGRAMS_MAX, 'syscalls: HISTOGRAMS_MAX', SYSCALL_NAMES.length);

const INDEX: ReadonlyMap<SyscallName, number> = new Map(
  SYSCALL_NAMES.map((name, index) => [name, index]),
);

/** The place of a syscall in SYSCALL_NAMES by its number; -1 for another request. */
export function syscallIndex(name: SyscallName): number {
  return INDEX.get(name) ?? -1;
}
