/**
 * The syscalls of the table in shared/abi/syscalls.ts as methods: `proc.sync`, `proc.local`, and
 * those of `proc` itself that return promises. The three differ only in how a call is carried out.
 */
import { SYSCALLS } from '../../../shared/abi/syscalls.ts';
import type { NumericSyscall, SyscallSpec } from '../../../shared/abi/syscalls.ts';
import type { SyncSyscalls } from '../../api/machine-api.ts';

/** Carries out a syscall with all its arguments. */
export type Invoke = (name: NumericSyscall, number: number, args: readonly number[]) => unknown;

/** Missing arguments become their defaults, or stay missing, which `invoke` must refuse. */
function complete(spec: SyscallSpec, args: readonly number[]): readonly number[] {
  const { required, defaults } = spec;
  if (args.length === required + defaults.length) return args;
  const all = args.slice(0, required + defaults.length);
  for (let i = all.length; i < required; i++) all.push(undefined as unknown as number);
  return [...all, ...defaults.slice(all.length - required)];
}

/** One method for each syscall. `Methods` says what `invoke` makes of the results. */
export function syscallMethods<Methods = SyncSyscalls>(invoke: Invoke): Methods {
  const entries = Object.entries(SYSCALLS).map(([name, spec]) => [
    spec.method,
    (...args: number[]) => invoke(name as NumericSyscall, spec.number, complete(spec, args)),
  ]);
  return Object.fromEntries(entries) as Methods;
}
