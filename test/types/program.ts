/** Goal and method as in host.ts; this file is the program's side: defineProgram, proc, memory. */
import { defineProgram, PROT_READ, SyscallError } from 'faultline/program';
import type { Memory, Proc, Program, SyncSyscalls } from 'faultline/program';
import { expectTypeOf } from 'vitest';

declare const proc: Proc;
const { mem } = proc;

export const programs: readonly (() => Program)[] = [
  () => defineProgram((given) => given.pid),
  () =>
    defineProgram(async (given, name: string, count: number) => given.print(name.repeat(count))),
  // @ts-expect-error: an exit code is a number.
  () => defineProgram(() => 'done'),
  // @ts-expect-error: a program is a function.
  () => defineProgram({ main: () => 0 }),
];
expectTypeOf(defineProgram).returns.toEqualTypeOf<Program>();

defineProgram(async (given) => {
  expectTypeOf(given).toEqualTypeOf<Proc>();
});

// One call in three ways: by message a promise, by trap and on the spot the value.
expectTypeOf(proc.mmap).returns.resolves.toEqualTypeOf<number>();
expectTypeOf(proc.sync.mmap).returns.toEqualTypeOf<number>();
expectTypeOf(proc.local.munmap).returns.toEqualTypeOf<0>();
expectTypeOf(proc.munmap).returns.resolves.toEqualTypeOf<0>();
expectTypeOf(proc.local).toEqualTypeOf<SyncSyscalls>();
expectTypeOf<(typeof proc)['sync']['open']>().returns.toEqualTypeOf<number>();

export const calls: readonly (() => unknown)[] = [
  () => proc.mmap(0, 4096, PROT_READ, 0x22),
  () => proc.mmap(0, 4096, PROT_READ, 0x22, -1, 0),
  // @ts-expect-error: without flags.
  () => proc.mmap(0, 4096, PROT_READ),
  // @ts-expect-error: an address is a number.
  () => proc.munmap('0x1000', 4096),
  // @ts-expect-error: addresses are exact numbers, not bigints.
  () => proc.mprotect(4096n, 4096, PROT_READ),
  // @ts-expect-error: files have names.
  () => proc.open(3),
  // @ts-expect-error: opening needs the kernel worker, so no CPU can do it by itself.
  (): unknown => proc.local.open,
  // @ts-expect-error: the pid is not the program's to choose.
  () => (proc.pid = 1),

  () => mem.store32(4096, 42),
  () => mem.store64(4096, 42n),
  // @ts-expect-error: 64 bits are a bigint.
  () => mem.store64(4096, 42),
  // @ts-expect-error: 32 bits are a number.
  () => mem.store32(4096, 42n),
  // @ts-expect-error: bytes, not text.
  () => mem.write(4096, 'text'),
  // @ts-expect-error: how much is read is said.
  () => mem.read(4096),
];

expectTypeOf(mem).toEqualTypeOf<Memory>();
expectTypeOf<Memory['load8']>().returns.toEqualTypeOf<number>();
expectTypeOf<Memory['load32']>().returns.toEqualTypeOf<number>();
expectTypeOf<Memory['load64']>().returns.toEqualTypeOf<bigint>();
expectTypeOf<Memory['loadF64']>().returns.toEqualTypeOf<number>();
expectTypeOf<Memory['atomicAdd32']>().returns.toEqualTypeOf<number>();
expectTypeOf<Memory['atomicCompareExchange32']>().parameters.toEqualTypeOf<
  [number, number, number]
>();
expectTypeOf<Memory['read']>().returns.toEqualTypeOf<Uint8Array<ArrayBuffer>>();
expectTypeOf<Memory['store32']>().returns.toEqualTypeOf<void>();

/** What a failed call throws is told apart by its class. */
export function codeOf(error: unknown): string | null {
  return error instanceof SyscallError ? error.code : null;
}
