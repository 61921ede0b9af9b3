/** A few lines in the kernel's style, for tests of the compiler; files by name. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as esbuild from 'esbuild';
import { Program, glueOf } from '../../build/wasm/index.ts';
import type { Compiled, Target } from '../../build/wasm/index.ts';

const FACADE = `
export function peek(words: Int32Array, at: number): number { return words[at] as number; }
export function poke(words: Int32Array, at: number, value: number): void { words[at] = value; }
export function load(words: Int32Array, at: number): number { return Atomics.load(words, at); }
export function store(words: Int32Array, at: number, value: number): void {
  Atomics.store(words, at, value);
}
export function add(words: Int32Array, at: number, by: number): number {
  return Atomics.add(words, at, by);
}
export function or(words: Int32Array, at: number, bits: number): number {
  return Atomics.or(words, at, bits);
}
export function and(words: Int32Array, at: number, bits: number): number {
  return Atomics.and(words, at, bits);
}
export function exchange(words: Int32Array, at: number, value: number): number {
  return Atomics.exchange(words, at, value);
}
export function compareExchange(words: Int32Array, at: number, from: number, to: number): number {
  return Atomics.compareExchange(words, at, from, to);
}
export function wait(words: Int32Array, at: number, expected: number, ms: number): number {
  return Atomics.load(words, at) === expected ? ms : -1;
}
export function notify(words: Int32Array, at: number, count: number): void {
  words[at] = count;
}
export function pause(): void {}
export function fillWords(words: Int32Array, from: number, to: number, value: number): void {
  words.fill(value, from, to);
}
export function copyWords(words: Int32Array, to: number, from: number, count: number): void {
  words.copyWithin(to, from, from + count);
}
export function strange(words: Int32Array, at: number): number { return words.length + at; }
`;

const PANIC = `
export function panic(where: string, ...values: unknown[]): never {
  throw new Error([where, ...values].join(' '));
}
export function assert(test: boolean, where: string, ...values: unknown[]): asserts test {
  if (!test) panic(where, ...values);
}
`;

const CPU = `
import { add } from './shared/atomics.ts';
export type VirtAddr = number;
export interface LockingProtocol {
  enter(cpu: Cpu, by: number): void;
  twice(cpu: Cpu): number;
}
export interface Machine {
  readonly protocol: LockingProtocol;
  readonly frames: number;
  readonly checked: boolean;
}
export interface Tlb { readonly readBase: Float64Array; readonly filled: Int32Array }
export interface Cursor { readonly held: number[]; table: number }
export class TlbState {
  get turn(): number { return 7; }
}
export interface Other { readonly frames: number }
export interface Cpu {
  readonly machine: Machine;
  readonly words: Int32Array;
  readonly tlb: Tlb;
  readonly faultCursor: Cursor;
  readonly spare: Cursor;
  readonly other: Other;
  phase: number;
  isIdle: boolean;
}
export const first: LockingProtocol = {
  enter(cpu, by) { add(cpu.words, 40, by); },
  twice(): number { return 1; },
};
export const second: LockingProtocol = {
  enter(cpu) { add(cpu.words, 41, 1); },
  twice(): number { return 2; },
};
export function outside(cpu: Cpu, value: number, flag: boolean): number {
  return flag ? value + cpu.phase : 0 - value;
}
`;

export interface SmallKernel {
  readonly target: Target;
  readonly program: Program;
}

/** Writes the kernel and `code`, whose functions `roots` are compiled, and reads the sources. */
export function smallKernel(code: string, roots: readonly string[]): SmallKernel {
  const root = mkdtempSync(join(tmpdir(), 'faultline-compiler-'));
  const files = { 'shared/atomics.ts': FACADE, 'shared/panic.ts': PANIC, 'cpu.ts': CPU };
  for (const [name, text] of Object.entries({ ...files, 'code.ts': code })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const target: Target = {
    root,
    roots: roots.map((name) => `code.ts#${name}`),
    imports: ['cpu.ts#outside'],
    objects: ['Cpu', 'Machine', 'Tlb', 'Cursor', 'LockingProtocol'],
    owned: ['Cursor'],
    others: ['Cpu.spare'],
    dispatch: { type: 'LockingProtocol', objects: ['cpu.ts#first', 'cpu.ts#second'] },
    facade: 'shared/atomics.ts',
  };
  return { target, program: new Program(target) };
}

type Exports = Readonly<Record<string, (...values: never[]) => unknown>>;

/** Exports of a file of the kernel, or of a text that imports its files. */
function run(root: string, text: string): Exports {
  const { outputFiles } = esbuild.buildSync({
    stdin: { contents: text, resolveDir: root },
    ...{ bundle: true, format: 'cjs', write: false, logLevel: 'silent' },
  });
  const module = { exports: {} };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  (new Function('module', 'exports', outputFiles[0]?.text ?? '') as (...args: unknown[]) => void)(
    module,
    {},
  );
  return module.exports;
}

interface Modules {
  readonly code: Exports;
  readonly facade: Exports;
  readonly panic: (...values: unknown[]) => never;
  readonly implementations: readonly unknown[];
  readonly messages: readonly string[];
  readonly globals: (cpu: object, number: number) => Record<string, number>;
  readonly functions: (cpu: object) => Record<string, () => unknown>;
}

/** One CPU of a machine, and the kernel's functions on it. */
export interface SmallCpu {
  readonly words: Int32Array;
  readonly cpu: { readonly phase: number; readonly isIdle: boolean };
  call(name: string, values: readonly (number | boolean)[]): unknown;
}

/** Both builds of a kernel. */
export class TwoBuilds {
  readonly #modules: Modules;
  readonly #module: WebAssembly.Module;

  constructor({ target }: SmallKernel, compiled: Compiled) {
    const text = `import * as code from './code.ts';
      import * as facade from './shared/atomics.ts';
      import { panic } from './shared/panic.ts';
      export { code, facade, panic };`;
    this.#modules = run(target.root, text + glueOf(compiled, target)) as unknown as Modules;
    this.#module = new WebAssembly.Module(Buffer.from(compiled.bytes));
  }

  /** A new CPU, its machine of the protocol `number`, with one of the builds. */
  cpu(isCompiled: boolean, number: number): SmallCpu {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    const words = new Int32Array(memory.buffer);
    const modules = this.#modules;
    const cpu = makeCpu(words, modules.implementations[number]);
    const exports = isCompiled ? this.#instance(memory, cpu, number) : modules.code;
    const call = (name: string, values: readonly (number | boolean)[]): unknown => {
      const given = isCompiled ? values.map(Number) : [cpu, ...values];
      return exports[name]?.(...(given as never[]));
    };
    return { words, cpu, call };
  }

  #instance(memory: WebAssembly.Memory, cpu: object, number: number): Exports {
    const words = new Int32Array(memory.buffer);
    const { facade, panic, globals, functions, messages } = this.#modules;
    const onWords =
      (name: string) =>
      (...values: number[]): unknown =>
        facade[name]?.(words as never, ...(values as never[]));
    const instance = new WebAssembly.Instance(this.#module, {
      machine: { ...globals(cpu, number), memory },
      kernel: {
        ...functions(cpu),
        ...{ pause: () => {}, wait: onWords('wait'), notify: onWords('notify') },
        panic: (message: number, count: number, ...values: number[]) =>
          panic(messages[message], ...values.slice(0, count)),
      },
    });
    return instance.exports as unknown as Exports;
  }
}

function makeCpu(words: Int32Array, protocol: unknown): SmallCpu['cpu'] {
  const { buffer } = words;
  const cpu = {
    machine: { protocol, frames: 77, checked: true },
    words,
    tlb: {
      readBase: new Float64Array(buffer, 4096, 16).fill(NaN),
      filled: new Int32Array(buffer, 8192, 16),
    },
    faultCursor: { held: [], table: 0 },
    ownStack: new Int32Array(buffer, 12288, 16),
    ...{ phase: 3, isIdle: false },
  };
  return cpu;
}
