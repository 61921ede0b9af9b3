/** The built-in programs as the page starts them: with arguments that suit a machine in a tab. */
import { TEXT_FILE } from '../core/session.ts';
import type { Session } from '../core/session.ts';

export interface Builtin {
  readonly about: string;
  readonly args: readonly unknown[];
}

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  hello: { about: 'maps a page, writes a greeting, prints it', args: [] },
  wordcount: {
    about: 'several processes count the words of a file',
    args: [{ file: TEXT_FILE, processes: 4 }],
  },
  matmul: {
    about: 'several processes multiply matrices in shared memory',
    args: [{ processes: 2, size: 64 }],
  },
  gc: {
    about: 'a write barrier for garbage collection, of mprotect and SIGSEGV',
    args: [{ pages: 64, cycles: 8, writes: 200 }],
  },
  sort: { about: 'sorts the lines of a file', args: [{ file: TEXT_FILE }] },
  cowtest: {
    about: 'copy-on-write fork, tested from the inside',
    args: [{ pages: 500, generations: 10 }],
  },
  lazytest: {
    about: 'lazy allocation, tested from the inside',
    args: [{ mebibytes: 1024, hungry: 0 }],
  },
  kv: {
    about: 'a key-value store in shared memory, served by processes',
    args: [{ processes: 2, operations: 2000, keys: 200 }],
  },
  forkstorm: {
    about: 'forks hundreds of processes and counts them back in',
    args: [{ processes: 200, alive: 16 }],
  },
  pipeline: {
    about: 'producer, stages and consumer, joined by queues on futexes',
    args: [{ items: 5000, stages: 1, capacity: 64 }],
  },
  grind: {
    about: 'random memory calls, checked against a model',
    args: [{ processes: 2, rounds: 2000, pages: 64 }],
  },
};

/** The arguments of a link or a field: a JSON array; the program's own where it is none. */
function parseArguments(name: string, text: string): readonly unknown[] {
  const absent = BUILTINS[name]?.args ?? [];
  if (text.trim() === '') return absent;
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

/** Starts it; what goes wrong is said among the output. */
export async function startBuiltin(session: Session, name: string, args: string): Promise<void> {
  try {
    if (!Object.hasOwn(BUILTINS, name)) throw new Error(`no program is called '${name}'`);
    await session.run(`./programs/${name}.js`, name, parseArguments(name, args));
  } catch (error) {
    session.say(0, error instanceof Error ? error.message : String(error), true);
  }
}
