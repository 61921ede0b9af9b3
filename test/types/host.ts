/**
 * Goal: the public types say what the library takes and gives. Method: nothing here runs; `tsc`
 * reads it, and fails when a wrong line compiles or a right one does not. This file is the host's
 * side: boot, spawn, machine handles, and the parts that can be exchanged.
 */
import { boot, SyscallError } from 'faultline';
import type {
  BackendResult,
  BootOptions,
  ExitStatus,
  MachineHandle,
  MappingBackend,
  MappingBackendModule,
  MappingTable,
  ProcessHandle,
} from 'faultline';
import type {
  Candidate,
  Choice,
  Cpu,
  Cursor,
  LockingProtocol,
  ReclaimPolicy,
} from 'faultline/kernel';
import { expectTypeOf } from 'vitest';

declare const machine: MachineHandle;
declare const protocol: LockingProtocol;

export const calls: readonly (() => unknown)[] = [
  () => boot(),
  () => boot({ memory: '64MiB', cpus: 2, protocol: 'rcu', faults: 'local', shootdown: 'lazy' }),
  () => boot({ memory: 2 ** 26, protocol: './mine.js', inject: { frame: 3, read: '2%' } }),
  () => boot({ files: { text: '/etc/hostname', bytes: new Uint8Array(3) } }),
  () => boot({ files: { text: { path: './a.txt', writable: true } } }),
  // @ts-expect-error: a number of CPUs is no string.
  () => boot({ cpus: '2' }),
  // @ts-expect-error: no such mode.
  () => boot({ faults: 'sometimes' }),
  // @ts-expect-error: no such option.
  () => boot({ processors: 2 }),
  // @ts-expect-error: nothing can be injected under this name.
  () => boot({ inject: { gremlin: 1 } }),
  // @ts-expect-error: who writes a file says so.
  () => boot({ files: { text: { path: './a.txt' } } }),
  // @ts-expect-error: an absent option is left out, not undefined.
  () => boot({ cpus: undefined }),

  () => machine.spawn(new URL('./a.js', import.meta.url), { args: ['x', 1], nice: -5 }),
  // @ts-expect-error: arguments are a list.
  () => machine.spawn('./a.js', { args: 'x' }),
  // @ts-expect-error: a module, not a function.
  () => machine.spawn(() => 0),
  // @ts-expect-error: the machine's memory stays where it is.
  () => (machine.buffer = new SharedArrayBuffer(8)),
];

expectTypeOf(boot).returns.resolves.toEqualTypeOf<MachineHandle>();
expectTypeOf(boot).parameter(0).toEqualTypeOf<BootOptions | undefined>();
expectTypeOf<MachineHandle['spawn']>().returns.resolves.toEqualTypeOf<ProcessHandle>();
expectTypeOf<ProcessHandle['wait']>().returns.resolves.toEqualTypeOf<ExitStatus>();
expectTypeOf<MachineHandle['maps']>().returns.resolves.toEqualTypeOf<string>();

/** An exit status is one of two things, and either field tells them apart. */
export function describe(status: ExitStatus): string {
  expectTypeOf(status.code).toEqualTypeOf<number | undefined>();
  // @ts-expect-error: only a process that a signal has ended may have a fault address.
  void status.address;
  if (status.code !== undefined) return `exit ${expectTypeOf(status.code).toEqualTypeOf<number>()}`;
  expectTypeOf(status.address).toEqualTypeOf<number | undefined>();
  return status.signal;
}

const error = new SyscallError('mmap', 12);
expectTypeOf(error).toExtend<Error>();
expectTypeOf(error.code).toEqualTypeOf<string>();
expectTypeOf(error.errno).toEqualTypeOf<number>();
expectTypeOf(error.syscall).toEqualTypeOf<string>();
// @ts-expect-error: the number says what went wrong.
new SyscallError('mmap', 'ENOMEM');

/** A protocol may be made of another one's methods, and needs all of them. */
export const mine: LockingProtocol = { ...protocol, name: 'mine' };
// @ts-expect-error: most of it is missing.
export const unfinished: LockingProtocol = { name: 'mine', lockAreas() {} };
expectTypeOf<Parameters<LockingProtocol['lockPage']>[0]>().toEqualTypeOf<Cpu>();
expectTypeOf<Parameters<LockingProtocol['lockPage']>[1]>().toEqualTypeOf<Cursor>();
expectTypeOf<LockingProtocol['lockAreas']>().returns.toEqualTypeOf<void>();

export const lastFirst: ReclaimPolicy = {
  name: 'last-first',
  choose(candidates, wanted) {
    expectTypeOf(candidates).toEqualTypeOf<readonly Candidate[]>();
    return { evict: candidates.map((_, index) => index).slice(-wanted), age: [] };
  },
};
export const impatient: ReclaimPolicy = {
  name: 'impatient',
  // @ts-expect-error: a policy chooses at once; it cannot wait.
  async choose(): Promise<Choice> {
    return { evict: [], age: [] };
  },
};

/** A mapping backend is the seeds' one over the machine's page table, with a size. */
export const linear: MappingBackendModule = {
  sizeBytes: 4096,
  map: (start, size, flags, pt) => pt.map(start, pt.pageAt(start)) && size > flags,
  unmap: (start, size, pt) => (pt.clear(start, size) ? true : { cause: 'ENOMEM' }),
  protect: (start, size, newFlags, pt) => pt.protect(start, size, newFlags),
  clone: () => linear,
};
expectTypeOf<MappingBackendModule>().toExtend<MappingBackend<number, MappingTable>>();
expectTypeOf<ReturnType<MappingBackendModule['map']>>().toEqualTypeOf<BackendResult>();
// @ts-expect-error: `clone` is needed.
export const noClone: MappingBackendModule = { sizeBytes: 1, map: () => true, unmap: () => true };
export const late: MappingBackendModule = {
  ...linear,
  // @ts-expect-error: an answer is given at once.
  protect: async () => true,
};
