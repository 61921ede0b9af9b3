/** The syscalls with a latency, in the order of their histograms. `exit` never returns. */
export const SYSCALL_NAMES = [
  'mmap',
  'munmap',
  'mprotect',
  'getpid',
  'spawn',
  'wait',
  'kill',
  'sched_yield',
  'nanosleep',
  'open',
  'close',
  'fstat',
  'clone',
] as const;

export type SyscallName = (typeof SYSCALL_NAMES)[number];

export function syscallIndex(name: SyscallName): number {
  return SYSCALL_NAMES.indexOf(name);
}
