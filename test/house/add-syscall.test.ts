/**
 * Goal: the recipe of HACKING.md for a new numeric syscall is whole: four places, and a forgotten
 * one is noticed by the compiler. Method: follow it for `getpagesize2`, in memory; type-check and
 * bundle the result, and call the new syscall in every way that is derived from the table.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { EINVAL } from '../../shared/abi/errno.ts';
import type { SyscallSpec } from '../../shared/abi/syscalls.ts';
import { PAGE_SIZE } from '../../shared/limits.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What is written into a file in front of `before`; '': it is a new file. */
interface Edit {
  readonly path: string;
  readonly before: string;
  readonly text: string;
}

const NUMBER: Edit = {
  path: 'shared/abi/syscall-numbers.ts',
  before: 'export const SYS_READ = 0;',
  text: 'export const SYS_GETPAGESIZE2 = 999;\n',
};
const ROW: Edit = {
  path: 'shared/abi/syscalls.ts',
  before: '  getpid: ',
  text:
    '  /** The size of a page in units of `unit` bytes. EINVAL. */\n' +
    '  getpagesize2: (unit: N = 1): Call<N> => ({ unit }),\n',
};
const CALL: Edit = {
  path: 'kernel/syscalls/getpagesize2.ts',
  before: '',
  text: `import { EINVAL } from '../../shared/abi/errno.ts';
    import { PAGE_SIZE } from '../../shared/limits.ts';
    import type { Cpu } from '../machine/cpu.ts';
    export function sysGetpagesize2(_cpu: Cpu, _proc: number, unit: number): number {
      return Number.isInteger(PAGE_SIZE / unit) && unit > 0 ? PAGE_SIZE / unit : -EINVAL;
    }`,
};
const CASE: Edit = {
  path: 'kernel/syscalls/dispatch.ts',
  before: '    case S.SYS_GETPID:',
  text: '    case S.SYS_GETPAGESIZE2:\n      return sysGetpagesize2(cpu, proc, a);\n',
};
const IMPORT: Edit = {
  path: 'kernel/syscalls/dispatch.ts',
  before: 'import { sysMadvise }',
  text: "import { sysGetpagesize2 } from './getpagesize2.ts';\n",
};
const RECIPE = [NUMBER, ROW, CALL, CASE, IMPORT];

/** How a program calls it; its types are derived from the row. */
const PROGRAM: Edit = {
  path: 'test/house/program.ts',
  before: '',
  text: `import type { Proc } from '../../workers/program.ts';
    export async function use(proc: Proc): Promise<number> {
      return proc.sync.getpagesize2() + proc.local.getpagesize2(4) + (await proc.getpagesize2(4));
    }
    // @ts-expect-error It takes a number.
    export const wrong = (proc: Proc): number => proc.sync.getpagesize2('4');`,
};

/** The edited files' texts by their path. */
function follow(edits: readonly Edit[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { path, before, text } of edits) {
    const file = `${root}${path}`;
    if (before === '') {
      texts.set(file, text);
      continue;
    }
    const old = texts.get(file) ?? readFileSync(file, 'utf8');
    expect(old.split(before), `${path}: '${before}'`).toHaveLength(2);
    texts.set(
      file,
      old.replace(before, () => text + before),
    );
  }
  return texts;
}

/** Sources that are not edited, for all programs. */
const parsed = new Map<string, ts.SourceFile>();

/** What the compiler says of the sources as edited. */
function complaints(edits: readonly Edit[]): string[] {
  const texts = follow(edits);
  const config = ts.getParsedCommandLineOfConfigFile(
    `${root}tsconfig.json`,
    { incremental: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  const options = config!.options;
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => texts.has(path) || disk.fileExists(path),
    readFile: (path) => texts.get(path) ?? disk.readFile(path),
    getSourceFile: (path, target) => {
      const edited = texts.get(path);
      if (edited !== undefined) return ts.createSourceFile(path, edited, target);
      const file = parsed.get(path) ?? disk.getSourceFile(path, target);
      if (file !== undefined) parsed.set(path, file);
      return file;
    },
  };
  // Files that are not edited, but would say that one of the edits is missing.
  const others = [NUMBER, ROW, CASE].map(({ path }) => root + path);
  const files = [...new Set([...texts.keys(), ...others])];
  const program = ts.createProgram(files, options, host);
  return files
    .flatMap((file) => [...ts.getPreEmitDiagnostics(program, program.getSourceFile(file))])
    .map(({ file, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n');
      return `${file?.fileName.slice(root.length)}: ${text}`;
    });
}

/** Everything that a syscall is derived into, from the edited sources. */
interface Bundle {
  readonly spec: SyscallSpec;
  readonly names: readonly string[];
  readonly call: (...args: number[]) => number;
  readonly methods: Readonly<Record<string, (...args: number[]) => unknown>>;
}

const ENTRY = `
  import { formatMachine } from './kernel/format.ts';
  import { createProcess } from './kernel/lifecycle/create.ts';
  import { PROTOCOLS } from './kernel/locking/protocols.ts';
  import { startCpu } from './kernel/machine/cpu-mode.ts';
  import { attachCpu } from './kernel/machine/cpu.ts';
  import { enterKernel } from './kernel/mmu/kernel-entry.ts';
  import { processOf } from './kernel/processes/pid-table.ts';
  import { dispatch } from './kernel/syscalls/dispatch.ts';
  import { SYSCALL_NAMES } from './shared/abi/syscall-names.ts';
  import { SYSCALLS } from './shared/abi/syscalls.ts';
  import { syscallMethods } from './workers/cpu/runtime/syscall-methods.ts';

  const machine = formatMachine({ frames: 256, cpus: 1, protocol: PROTOCOLS.rcu });
  const cpu = attachCpu(machine, 0);
  startCpu(cpu);
  enterKernel(cpu);
  const proc = processOf(machine, createProcess(cpu, { name: 'test', cpu: 0, parent: 0 }));
  export const spec = SYSCALLS.getpagesize2;
  export const names = SYSCALL_NAMES;
  export const call = (a) => dispatch(cpu, proc, spec.number, a, 0, 0, 0, 0, 0);
  export const methods = syscallMethods((name, number, args) => [name, number, ...args]);
`;

async function bundle(edits: readonly Edit[]): Promise<Bundle> {
  const texts = follow(edits);
  const plugin: esbuild.Plugin = {
    name: 'recipe',
    setup(build) {
      build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
        const file = fileURLToPath(new URL(path, `file://${resolveDir}/`));
        return texts.has(file) ? { path: file } : undefined;
      });
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = texts.get(path);
        return contents === undefined ? undefined : { contents, loader: 'ts' };
      });
    },
  };
  const built = await esbuild.build({
    stdin: { contents: ENTRY, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    write: false,
    plugins: [plugin],
  });
  const code = Buffer.from(built.outputFiles[0]!.contents).toString('base64');
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as Bundle;
}

describe('a new numeric syscall', { timeout: 120_000 }, () => {
  it('takes four places', () => {
    expect(new Set(RECIPE.map(({ path }) => path)).size).toBe(4);
    expect(complaints([...RECIPE, PROGRAM])).toEqual([]);
  });

  it('is missed by the compiler in each of the places', () => {
    const without = (...edits: readonly Edit[]): string =>
      complaints(RECIPE.filter((edit) => !edits.includes(edit))).join('\n');
    expect(without(NUMBER)).toMatch(/shared\/abi\/syscalls\.ts: .*getpagesize2/s);
    expect(without(ROW)).toMatch(/shared\/abi\/syscalls\.ts: .*'getpagesize2' is missing/s);
    expect(without(CALL)).toContain('./getpagesize2.ts');
    expect(without(CASE, IMPORT)).toMatch(/kernel\/syscalls\/dispatch\.ts: .*999/s);
  });

  it('can be called, has a name, and arguments to be tried', async () => {
    const { spec, names, call, methods } = await bundle(RECIPE);
    expect(spec).toEqual({
      ...{ number: 999, method: 'getpagesize2', names: ['unit'] },
      ...{ required: 0, defaults: [1], local: true },
    });
    expect(names).toContain('getpagesize2');
    expect(methods['getpagesize2']!()).toEqual(['getpagesize2', 999, 1]);
    expect(methods['getpagesize2']!(4)).toEqual(['getpagesize2', 999, 4]);
    expect([4, 3, NaN, -1].map((unit) => call(unit))).toEqual([
      PAGE_SIZE / 4,
      ...[-EINVAL, -EINVAL, -EINVAL],
    ]);
  });
});
