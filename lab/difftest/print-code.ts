/** A sequence as code: for a C program on Linux and for a program of the machine. */
import { PAGE_SIZE } from '../../shared/limits.ts';
import * as M from '../../shared/abi/mman.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import type { NumericSyscall } from '../../shared/abi/syscalls.ts';
import { AREA_NAMES } from './prepared-memory.ts';
import type { Arg, Op, Sequence } from './sequence.ts';

interface Language {
  readonly call: (op: Op, args: readonly string[]) => string;
  readonly none: string;
}

const C: Language = {
  none: '(void *)-1',
  call: ({ call, slot }, args) => {
    const [a, b, c, d, e, f] = args;
    switch (call) {
      case 'fork':
        return 'fork();';
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
      case 'prlimit':
        return e === undefined
          ? `prlimit(${a}, ${b}, (void *)(${c}), (void *)(${d}));`
          : `prlimit(${a}, ${b}, &(struct rlimit){${e}, ${f}}, (void *)(${d}));`;
      case 'prctl':
        return `prctl(${[a, b, c, d, f === undefined ? e : areaName(f)].join(', ')});`;
      case 'dup':
        return `fd${slot} = dup(${a});`;
      default:
        return `${call}(${args.join(', ')});`;
    }
  },
};

const TYPESCRIPT: Language = {
  none: '-1',
  call: ({ call, slot }, args) => {
    const [a, b, c, d, e, f] = args;
    switch (call) {
      case 'fork':
        return "await proc.fork('child');";
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
      case 'prlimit':
        return e === undefined
          ? `await proc.prlimit(${args.join(', ')});`
          : `await proc.prlimit(${a}, ${b}, limit(${e}, ${f}), ${d});`;
      case 'prctl':
        return f === undefined
          ? `await proc.prctl(${args.join(', ')});`
          : `await proc.prctl(${[a, b, c, d].join(', ')}, name(${areaName(f)}));`;
      case 'dup':
        return `fd${slot} = await proc.dup(${a});`;
      default:
        return `await proc.${call}(${args.join(', ')});`;
    }
  },
};

/** The name of that number, as both languages spell it. */
function areaName(number: string): string {
  return JSON.stringify(AREA_NAMES[Number(number)] ?? '');
}

/** As a C program would do it. `low` and the other windows are char pointers. */
export function toC(sequence: Sequence): string {
  return print(sequence, C);
}

/** As a program of the machine would do it. */
export function toTypeScript(sequence: Sequence): string {
  return print(sequence, TYPESCRIPT);
}

function print({ ops }: Sequence, language: Language): string {
  const forkedAt = ops.findIndex(({ call }) => call === 'fork');
  return ops
    .map((op, i) => {
      const isChild = forkedAt >= 0 && i > forkedAt && op.child === true;
      return `${isChild ? '/* child */ ' : ''}${language.call(op, printArgs(op))}`;
    })
    .join('\n');
}

function printArgs({ call, args }: Op): string[] {
  return args.map((arg, i) => {
    const name = argumentName(call, i);
    const flags = FLAGS[`${call}/${name}`] ?? FLAGS[name];
    if (typeof arg !== 'number') return printArg(arg);
    if (flags !== undefined) return printFlags(arg, flags);
    return /length$/i.test(name) && arg > 0 ? printBytes(arg) : printNumber(arg);
  });
}

/** '' for what is no argument of a syscall of the table. */
function argumentName(call: string, index: number): string {
  if (call === 'open') return index === 1 ? 'flags' : '';
  return call in SYSCALLS ? (SYSCALLS[call as NumericSyscall].names[index] ?? '') : '';
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

const ADVICE = named('MADV_');

/** By an argument's name, or by a call's and an argument's. */
const FLAGS: Readonly<Record<string, FlagNames>> = {
  prot: named('PROT_'),
  advice: ADVICE,
  resource: named('RLIMIT_'),
  'mmap/flags': named('MAP_', ['MAP_TYPE', 'MAP_SHARED_VALIDATE']),
  'mremap/flags': named('MREMAP_'),
  'msync/flags': named('MS_'),
  'mlockall/flags': named('MCL_'),
  'open/flags': named('O_', ['O_ACCMODE']),
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
