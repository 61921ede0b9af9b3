/**
 * The syscalls of `proc` that return promises: comlink calls to the kernel worker, which answers
 * -errno as a number; here that becomes a SyscallError.
 */
import type { SyscallName } from '../../../kernel/index.ts';
import { O_RDONLY } from '../../../shared/abi/mman.ts';
import type { KernelCpuApi } from '../../../shared/wire.ts';
import type {
  AsyncSyscalls,
  CloneOptions,
  ExecOptions,
  Proc,
  SpawnOptions,
} from '../../api/machine-api.ts';
import type { Connection } from '../../wire/endpoint.ts';
import type { PageServer } from './page-server.ts';
import { checkNumbers, checkResult } from './proc-guard.ts';
import type { ProcGuard } from './proc-guard.ts';
import { cloneRequest, forkRequest, spawnRequest, vforkRequest } from '../../boot/spawn-request.ts';
import { checkEntry, resolveChild } from './program-names.ts';
import { syscallMethods } from './syscall-methods.ts';

export interface AsyncContext {
  readonly pid: number;
  readonly guard: ProcGuard;
  readonly kernel: Connection<KernelCpuApi>['remote'];
  /** The program's module: relative names of child programs are resolved against it. */
  readonly module: string;
  readonly pages: PageServer;
  /** A syscall of the table. The result, or -errno. */
  readonly call: (number: number, args: readonly number[]) => Promise<number>;
  /** Goes on with another program, or -errno. */
  readonly exec: (module: string, options: ExecOptions) => Promise<number>;
  /** Records a finished syscall's latency. */
  record(name: SyscallName, startedMs: number): void;
}

type OtherSyscalls = Pick<
  Proc,
  | 'spawn'
  | 'clone'
  | 'fork'
  | 'vfork'
  | 'execve'
  | 'open'
  | 'unlink'
  | 'memfdCreate'
  | 'fstat'
  | 'pager'
>;

export function asyncSyscalls(context: AsyncContext): AsyncSyscalls & OtherSyscalls {
  const { pid, guard, kernel } = context;
  const call = <Value>(name: SyscallName, start: () => Promise<Value | number>): Promise<Value> =>
    guard.async(async () => {
      const startedMs = performance.now();
      const result = await start();
      context.record(name, startedMs);
      return checkResult(name, result);
    });
  const numeric = <Value extends number>(
    name: SyscallName,
    args: readonly number[],
    start: () => Promise<number>,
  ): Promise<Value> =>
    call<Value>(name, () => {
      checkNumbers(name, args);
      return start();
    });
  return {
    ...syscallMethods<AsyncSyscalls>((name, number, args) =>
      numeric(name, args, () => context.call(number, args)),
    ),
    open: (name, flags = O_RDONLY) =>
      numeric('open', [flags], () => kernel.open(pid, String(name), flags)),
    memfdCreate: (name, flags = 0) =>
      numeric('memfd_create', [flags], async () => kernel.memfdCreate(pid, String(name), flags)),
    unlink: (name) => call<0>('unlink', () => kernel.unlink(pid, String(name))),
    pager: (name, sizeBytes, readPage) =>
      call('pager', async () => {
        if (typeof readPage !== 'function') throw new TypeError('pager: readPage is no function');
        const path = `/pager/${String(name)}`;
        const fd = await kernel.createPager(pid, String(name), sizeBytes);
        // No page can be requested before the program has the descriptor.
        if (fd >= 0) context.pages.add(path, readPage);
        return fd;
      }),
    fstat: (fd) => call('fstat', () => kernel.fstat(pid, fd)),
    spawn: (module, options: SpawnOptions = {}) =>
      call('spawn', () => {
        const request = spawnRequest(resolveChild(module, context.module), options);
        return kernel.spawn(pid, request);
      }),
    clone: (entry, options: CloneOptions = {}) =>
      call('clone', () => {
        checkEntry('clone', entry);
        return kernel.spawn(pid, cloneRequest(context.module, entry, options));
      }),
    fork: (entry, ...args) =>
      call('fork', () => {
        checkEntry('fork', entry);
        return kernel.spawn(pid, forkRequest(context.module, entry, args));
      }),
    vfork: (entry, ...args) =>
      call('vfork', () => {
        checkEntry('vfork', entry);
        return kernel.spawn(pid, vforkRequest(context.module, entry, args));
      }),
    execve: (module, options: ExecOptions = {}) =>
      call<never>('execve', async () =>
        context.exec(resolveChild(module, context.module), options),
      ),
  };
}
