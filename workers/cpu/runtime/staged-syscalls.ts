/** The calls of `proc.sync` whose arguments are no numbers (workers/kernel/serve/). */
import type { SyscallName } from '../../../kernel/index.ts';
import { O_RDONLY } from '../../../shared/abi/mman.ts';
import type { WireStaged } from '../../../shared/wire.ts';
import type { CloneOptions, SpawnOptions, StagedSyscalls } from '../../api/machine-api.ts';
import { cloneRequest, forkRequest, spawnRequest } from '../../boot/spawn-request.ts';
import { checkEntry, resolveChild } from './program-names.ts';
import { checkNumbers, checkResult } from './proc-guard.ts';
import type { RunningProcess } from './running-process.ts';

export function stagedSyscalls(runner: RunningProcess): StagedSyscalls {
  const { guard, context, module } = runner;
  const call = <Result extends number>(
    name: SyscallName,
    make: () => WireStaged,
    flags: readonly unknown[] = [],
  ): Result =>
    guard.sync(() => {
      checkNumbers(name, flags);
      const startedMs = performance.now();
      const result = runner.staged(make());
      context.record(name, startedMs);
      return checkResult<Result>(name, result);
    });
  return {
    open: (name, flags = O_RDONLY) =>
      call('open', () => ({ call: 'open', name: String(name), flags }), [flags]),
    unlink: (name) => call<0>('unlink', () => ({ call: 'unlink', name: String(name) })),
    memfdCreate: (name, flags = 0) =>
      call('memfd_create', () => ({ call: 'memfdCreate', name: String(name), flags }), [flags]),
    spawn: (child, options: SpawnOptions = {}) =>
      call('spawn', () => {
        return { call: 'spawn', request: spawnRequest(resolveChild(child, module), options) };
      }),
    clone: (entry, options: CloneOptions = {}) =>
      call('clone', () => {
        checkEntry('clone', entry);
        return { call: 'spawn', request: cloneRequest(module, entry, options) };
      }),
    fork: (entry, ...args) =>
      call('fork', () => {
        checkEntry('fork', entry);
        return { call: 'spawn', request: forkRequest(module, entry, args) };
      }),
  };
}
