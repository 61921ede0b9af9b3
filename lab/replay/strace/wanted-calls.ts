/** The calls of a recording that are replayed, and those of which only something is learned. */
const BIRTHS: readonly string[] = ['clone', 'clone3', 'fork', 'vfork'];

/** Carried out on the machine, with the result compared. */
export const MEMORY_CALLS: readonly string[] = [
  ...['mmap', 'munmap', 'mprotect', 'pkey_mprotect', 'mremap', 'brk', 'madvise', 'mincore'],
  ...['msync', 'mlock', 'mlock2', 'munlock', 'mlockall', 'munlockall', 'mseal', 'prctl'],
];

/** They read or write user memory: recorded with raw arguments, they show pages. */
export const TOUCHING: readonly string[] = ['read', 'pread64', 'write', 'pwrite64'];

/** What is behind descriptors. */
const FILES: readonly string[] = [
  ...['open', 'openat', 'creat', 'memfd_create', 'close', 'dup', 'dup2', 'dup3'],
];

const SIZES: readonly string[] = ['fstat', 'newfstatat'];

/** The same in both readings, so that both see the same first line of each process. */
export const WANTED: ReadonlySet<string> = new Set([
  ...BIRTHS,
  ...MEMORY_CALLS,
  ...TOUCHING,
  ...FILES,
  ...SIZES,
  'execve',
  'execveat',
]);

export function isBirth(name: string): boolean {
  return BIRTHS.includes(name);
}
