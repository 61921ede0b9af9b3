/**
 * The compiled build of the kernel on a CPU: an instance of the module that build/wasm makes from
 * the kernel's sources. Where it cannot run, the same functions run as JavaScript.
 */
import { functions, globals, implementations, messages } from '#kernel-wasm';
import type { Compiled, Cpu } from '../kernel/index.ts';
import { notify, pause, wait } from '../shared/atomics.ts';
import { panic } from '../shared/panic.ts';

/**
 * Gives a CPU its compiled functions. It keeps JavaScript's if there is no module, if the machine
 * is made of a plain buffer, or if its locking protocol is a user's.
 */
export function useCompiled(cpu: Cpu, module: WebAssembly.Module | null): void {
  const { machine, words } = cpu;
  const protocol = implementations.indexOf(machine.protocol);
  if (module === null || machine.memory === null || protocol < 0) return;
  const instance = new WebAssembly.Instance(module, {
    machine: { ...globals(cpu, protocol), memory: machine.memory },
    kernel: {
      ...functions(cpu),
      pause,
      wait: (at: number, expected: number, ms: number) => wait(words, at, expected, ms),
      notify: (at: number, count: number) => notify(words, at, count),
      panic: (number: number, count: number, ...values: number[]) =>
        panic(messages[number] ?? 'panic', ...values.slice(0, count)),
    },
  });
  cpu.compiled = instance.exports as unknown as Compiled;
}
