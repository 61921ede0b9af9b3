/** A sequence as code: for a C program on Linux and for a program of the machine. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import type { Arg, Op, Sequence } from './sequence.ts';

interface Language {
  readonly call: (op: Op, args: readonly string[]) => string;
  readonly none: string;
}

const C: Language = {
  none: '(void *)-1',
  call: ({ call, slot }, args) => {
    const [a, b, c, d] = args;
    switch (call) {
      case 'load':
        return `(void)*(volatile char *)(${a});`;
      case 'store':
        return `*(volatile char *)(${a}) = ${b};`;
      case 'brk':
        return `syscall(SYS_brk, ${a});`;
      case 'memfd_create':
        return `fd${slot} = memfd_create("m${a}", ${b});`;
      case 'open':
        return `fd${slot} = open("f${a}", ${b}, 0600);`;
      case 'unlink':
        return `unlink("f${a}");`;
      case 'mseal':
        return `syscall(SYS_mseal, ${args.join(', ')});`;
      case 'setrlimit':
        return c === undefined
          ? `setrlimit(${a}, (void *)(${b}));`
          : `setrlimit(${a}, &(struct rlimit){${c}, ${d}});`;
      default:
        return `${call}(${args.join(', ')});`;
    }
  },
};

const TYPESCRIPT: Language = {
  none: '-1',
  call: ({ call, slot }, args) => {
    const [a, b, c, d] = args;
    switch (call) {
      case 'load':
        return `proc.mem.load8(${a});`;
      case 'store':
        return `proc.mem.store8(${a}, ${b});`;
      case 'memfd_create':
        return `fd${slot} = await proc.memfdCreate('m${a}', ${b});`;
      case 'open':
        return `fd${slot} = await proc.open('f${a}', ${b});`;
      case 'unlink':
        return `await proc.unlink('f${a}');`;
      case 'setrlimit':
        return c === undefined
          ? `await proc.setrlimit(${a}, ${b});`
          : `await proc.setrlimit(${a}, limit(${c}, ${d}));`;
      default:
        return `await proc.${call}(${args.join(', ')});`;
    }
  },
};

/** As a C program would do it. `low` and the other windows are char pointers. */
export function toC(sequence: Sequence): string {
  return print(sequence, C);
}

/** As a program of the machine would do it. */
export function toTypeScript(sequence: Sequence): string {
  return print(sequence, TYPESCRIPT);
}

function print({ ops }: Sequence, language: Language): string {
  return ops.map((op) => language.call(op, printArgs(op))).join('\n');
}

function printArgs({ call, args }: Op): string[] {
  const isLength = new Set([1, call === 'mremap' ? 2 : 1]);
  return args.map((arg, i) => {
    const flags = typeof arg === 'number' ? FLAGS[`${call}/${i}`] : undefined;
    if (flags !== undefined) return printFlags(arg as number, flags);
    if (typeof arg === 'number' && isLength.has(i) && arg > 0) return printBytes(arg);
    return printArg(arg);
  });
}

function printArg(arg: Arg): string {
  if (typeof arg === 'number') return printNumber(arg);
  const { base, plus } = arg;
  if (base === 'fd') return `fd${plus}`;
  const name = base === 'as' || base === 'data' ? `${base}_in_use` : base;
  if (plus === 0) return name;
  return `${name} ${plus < 0 ? '-' : '+'} ${printBytes(Math.abs(plus))}`;
}

function printNumber(value: number): string {
  return Math.abs(value) < 4096 ? String(value) : `0x${value.toString(16)}`;
}

/** In pages where it is whole pages. */
function printBytes(bytes: number): string {
  const pages = bytes / PAGE_SIZE;
  if (!Number.isInteger(pages) || pages > 4096) return printNumber(bytes);
  return pages === 1 ? 'PAGE' : `${pages} * PAGE`;
}

type FlagNames = Readonly<Record<number, string>> | readonly string[];

function named(prefix: string, exclude: readonly string[] = []): Readonly<Record<number, string>> {
  const entries = Object.entries(M).filter(
    ([name]) => name.startsWith(prefix) && !exclude.includes(name),
  );
  return Object.fromEntries(entries.map(([name, value]) => [value, name]));
}

const PROT = named('PROT_');
const ADVICE = named('MADV_');

const FLAGS: Readonly<Record<string, FlagNames>> = {
  'mmap/2': PROT,
  'mmap/3': named('MAP_', ['MAP_TYPE', 'MAP_SHARED_VALIDATE']),
  'mprotect/2': PROT,
  'mremap/3': named('MREMAP_'),
  'madvise/2': ADVICE,
  'msync/2': named('MS_'),
  'mlockall/0': named('MCL_'),
  'open/1': named('O_', ['O_ACCMODE']),
  'setrlimit/0': named('RLIMIT_'),
  'getrlimit/0': named('RLIMIT_'),
};

/** The names whose bits make up the value; what has no name stays a number. */
function printFlags(value: number, names: FlagNames): string {
  const exact = (names as Readonly<Record<number, string>>)[value];
  if (exact !== undefined) return exact;
  if (names === ADVICE || value < 0) return printNumber(value);
  const words: string[] = [];
  let rest = value;
  for (let bit = 1; bit <= value; bit *= 2) {
    const name = (names as Readonly<Record<number, string>>)[bit];
    if (name === undefined || (rest & bit) === 0) continue;
    words.push(name);
    rest -= bit;
  }
  if (rest !== 0 || words.length === 0) words.push(printNumber(rest));
  return words.join(' | ');
}
