/**
 * The calls of a fuzz that the syscall table does not have: accesses to memory, and those methods
 * of `proc` whose arguments are names, functions and options.
 */
import * as S from '../../shared/abi/sched.ts';
import type { Proc } from '../../workers/program.ts';
import { accessAddress, argument, badArgument } from './fuzz-values.ts';
import type { Known, Random } from './fuzz-values.ts';

/** Names of files, which every program opens and unlinks. `data` is the host's. */
export const FUZZ_NAMES: readonly string[] = [
  ...['data', 'one', 'two', '', '/dev/none', '/pager/none'],
  ...['/pager/p0', '/pager/p1'],
];
const BYTES_MAX = 20_000;
const SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGCHLD', 'SIGSEGV', 'SIGKILL', 'SIGPIPE', ''];

/** The untyped view of `proc` and `proc.mem` that wrong arguments need. */
export type Loose = Readonly<Record<string, (...args: unknown[]) => unknown>>;

export interface CallContext {
  readonly proc: Proc;
  readonly random: Random;
  readonly known: Known;
  /** Arguments for a child's or thread's entry; null when there are enough of them. */
  childArguments(): readonly unknown[] | null;
}

type Make = (context: CallContext) => readonly unknown[];

function maybe(random: Random, value: unknown): unknown {
  return random(8) === 0 ? badArgument(random) : value;
}

function name({ random }: CallContext): unknown {
  return maybe(random, FUZZ_NAMES[random(FUZZ_NAMES.length)]);
}

function signal({ random }: CallContext): unknown {
  return maybe(random, SIGNALS[random(SIGNALS.length)]);
}

function one(parameter: string): Make {
  return ({ random, known }) => [argument(random, known, '', parameter)];
}

const ACCESSES: Readonly<Record<string, Make>> = Object.fromEntries([
  ...['load8', 'load16', 'load32', 'load64', 'loadF32', 'loadF64', 'atomicLoad32'].map((method) => [
    method,
    ({ random, known }: CallContext) => [accessAddress(random, known)],
  ]),
  ...['store8', 'store16', 'store32', 'storeF32', 'storeF64', 'atomicStore32', 'atomicAdd32'].map(
    (method) => [
      method,
      ({ random, known }: CallContext) => [
        accessAddress(random, known),
        maybe(random, random(2 ** 32)),
      ],
    ],
  ),
  [
    'store64',
    ({ random, known }: CallContext) => [
      accessAddress(random, known),
      maybe(random, BigInt(random(2 ** 32))),
    ],
  ],
  [
    'atomicCompareExchange32',
    ({ random, known }: CallContext) => [
      accessAddress(random, known),
      maybe(random, random(2)),
      maybe(random, random(2)),
    ],
  ],
  [
    'read',
    ({ random, known }: CallContext) => [
      accessAddress(random, known),
      maybe(random, random(BYTES_MAX)),
    ],
  ],
  [
    'readInto',
    ({ random, known }: CallContext) => [
      accessAddress(random, known),
      maybe(random, new Uint8Array(random(BYTES_MAX))),
    ],
  ],
  [
    'write',
    ({ random, known }: CallContext) => [
      accessAddress(random, known),
      maybe(random, new Uint8Array(random(BYTES_MAX)).fill(random(256))),
    ],
  ],
  [
    'copy',
    ({ random, known }: CallContext) => [
      accessAddress(random, known),
      accessAddress(random, known),
      maybe(random, random(BYTES_MAX)),
    ],
  ],
  [
    'fill',
    ({ random, known }: CallContext) => [
      accessAddress(random, known),
      maybe(random, random(256)),
      maybe(random, random(BYTES_MAX)),
    ],
  ],
]) as Readonly<Record<string, Make>>;

/** A handler that itself uses memory and calls, and sometimes throws. */
function handler({ proc, random, known }: CallContext): unknown {
  const kind = random(4);
  const at = known.addresses[0] as number;
  return maybe(random, () => {
    if (kind === 0) proc.mem.store32(at, 1);
    if (kind === 1) proc.local.munmap(at, 4096);
    if (kind === 2) throw new RangeError('thrown by a handler');
  });
}

/** A pager's function: right, too late, or wrong in one of three ways. */
function reader({ random }: CallContext): unknown {
  const kind = random(6);
  return maybe(random, (page: number, target: Uint8Array) => {
    if (kind === 0) throw new Error('thrown by a pager');
    if (kind === 1) return new Promise(() => {});
    if (kind === 2) return Promise.reject(new RangeError('a page is lost'));
    target.fill(page + 1);
    return kind === 3 ? 'no promise' : undefined;
  });
}

function entry(context: CallContext, name: string): unknown {
  return maybe(context.random, context.random(16) === 0 ? 'missing' : name);
}

const METHODS: Readonly<Record<string, Make>> = {
  open: (context) => [name(context), maybe(context.random, pickFlags(context.random))],
  memfdCreate: (context) => [name(context), maybe(context.random, context.random(4))],
  // Not the host's file: later programs need it.
  unlink: (context) => [name(context)].map((path) => (path === 'data' ? 'one' : path)),
  fstat: one('fd'),
  pager: (context) => {
    const bytes = 4096 * (1 + context.random(8));
    return [maybe(context.random, `p${context.random(2)}`), bytes, reader(context)];
  },
  print: ({ random }) => [random(2) === 0 ? badArgument(random) : 'x'.repeat(random(1000))],
  wait: ({ random, known }) => [random(2) === 0 ? undefined : argument(random, known, '', 'pid')],
  kill: (context) => [
    argument(context.random, context.known, '', 'pid'),
    context.random(3) === 0 ? 0 : signal(context),
  ],
  nanosleep: ({ random }) => [maybe(random, random(2e6))],
  sigaction: (context) => [signal(context), context.random(3) === 0 ? 'ignore' : handler(context)],
  sigprocmask: (context) => [
    maybe(context.random, ['block', 'unblock', 'set'][context.random(3)]),
    maybe(context.random, [signal(context), signal(context)]),
  ],
  sigpending: () => [],
};

const SHARED: number = S.CLONE_VM | S.CLONE_FS | S.CLONE_FILES | S.CLONE_SIGHAND;
const TIDS: number = S.CLONE_PARENT_SETTID | S.CLONE_CHILD_SETTID | S.CLONE_CHILD_CLEARTID;
/** As pthread_create, with and without words; descriptors shared alone; and what is refused. */
const CLONE_FLAGS: readonly number[] = [
  ...[SHARED | S.CLONE_THREAD, SHARED | S.CLONE_THREAD | TIDS, SHARED | TIDS],
  ...[S.CLONE_VM | S.CLONE_FILES, S.CLONE_THREAD, S.CLONE_VM | 17, 0],
];

/** Methods that start something; they get arguments only while there may be more processes. */
const STARTS: Readonly<Record<string, Make>> = {
  fork: (context) => [entry(context, 'child'), ...(context.childArguments() ?? [])],
  clone: (context) => {
    const { random } = context;
    const stackBytes = maybe(random, random(4) * 4096);
    const options = { args: context.childArguments(), stackBytes };
    if (random(2) === 0) return [entry(context, 'child'), options];
    const flags = maybe(random, CLONE_FLAGS[random(CLONE_FLAGS.length)]);
    const [parentTid, childTid] = [
      accessAddress(random, context.known),
      context.known.addresses[0],
    ];
    return [entry(context, 'child'), { ...options, flags, parentTid, childTid }];
  },
  spawn: (context) => {
    const { random } = context;
    const [task] = context.childArguments() ?? [];
    const options = { args: [task], nice: maybe(random, random(45) - 22) };
    const memoryMax = maybe(random, 2 ** 20 * (1 + random(4)));
    const limited = random(4) === 0 ? { ...options, memoryMax } : options;
    return [random(8) === 0 ? badArgument(random) : import.meta.url, limited];
  },
};

function pickFlags(random: Random): number {
  return random(4) | (random(2) * 0o100) | (random(4) === 0 ? 0o1000 : 0);
}

export interface DrawnCall {
  readonly what: string;
  readonly start: () => unknown;
}

function drawFrom(
  context: CallContext,
  table: Readonly<Record<string, Make>>,
  target: unknown,
): DrawnCall {
  const methods = Object.keys(table);
  const method = methods[context.random(methods.length)] as string;
  const args = (table[method] as Make)(context);
  return { what: method, start: () => Reflect.apply((target as Loose)[method]!, target, args) };
}

export function drawAccess(context: CallContext): DrawnCall {
  return drawFrom(context, ACCESSES, context.proc.mem);
}

export function drawMethod(context: CallContext): DrawnCall {
  return drawFrom(context, METHODS, context.proc);
}

export function drawStart(context: CallContext): DrawnCall {
  return drawFrom(context, STARTS, context.proc);
}
