/** The syscalls with a latency, in the order of their histograms. `exit` never returns. */
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import type { NumericSyscall } from '../../shared/abi/syscalls.ts';

const OTHERS = [
  'spawn',
  'clone',
  'fork',
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

export type SyscallName = NumericSyscall | (typeof OTHERS)[number];

export const SYSCALL_NAMES: readonly SyscallName[] = [
  ...(Object.keys(SYSCALLS) as NumericSyscall[]),
  ...OTHERS,
];

const INDEX: ReadonlyMap<SyscallName, number> = new Map(
  SYSCALL_NAMES.map((name, index) => [name, index]),
);

export function syscallIndex(name: SyscallName): number {
  return INDEX.get(name) ?? -1;
}
