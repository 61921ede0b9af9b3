/** The syscalls, in the order of their histograms and trap numbers. */
export const SYSCALL_NAMES = [
  'mmap',
  'munmap',
  'mprotect',
  'getpid',
  'spawn',
  'wait',
  'exit',
  'kill',
  'sched_yield',
  'nanosleep',
  'open',
  'close',
  'fstat',
  'page_fault',
] as const;

export type SyscallName = (typeof SYSCALL_NAMES)[number];

export function syscallIndex(name: SyscallName): number {
  return SYSCALL_NAMES.indexOf(name);
}
