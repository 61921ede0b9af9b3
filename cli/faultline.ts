#!/usr/bin/env node
/**
 * The `faultline` command: finds the subcommand and turns its outcome into an exit status.
 * 0 success, 1 the workload failed or a violation was found, 2 bad usage, 130 interrupted.
 */
import { readFileSync } from 'node:fs';
import { INTERRUPTED_HELP } from './interruption.ts';
import { watchOutput } from './output-failure.ts';
import { suggest, UsageError } from './usage-error.ts';

interface Command {
  readonly summary: string;
  /** Returns the exit status; a UsageError becomes 2, any other error 1. */
  run(args: readonly string[]): Promise<number>;
}

// Each command is loaded only when called, so that none pays for the others.
const commands: Readonly<Record<string, Command>> = {
  run: {
    summary: 'run a program in a machine and report',
    run: async (args) => (await import('./run.ts')).run(args),
  },
  explore: {
    summary: "try the interleavings of the kernel's own source, exhaustively",
    run: async (args) => (await import('./explore.ts')).exploreCommand(args),
  },
  museum: {
    summary: 'bugs that real kernels had, found again by exploration',
    run: async (args) => (await import('./museum.ts')).museumCommand(args),
  },
  stress: {
    summary: 'stress page faults and mappings with many threads, checked by an oracle',
    run: async (args) => (await import('./stress.ts')).stress(args),
  },
  difftest: {
    summary: "compare the memory syscalls with this machine's Linux",
    run: async (args) => (await import('./difftest.ts')).difftest(args),
  },
  record: {
    summary: 'record what a real program does with memory, by strace or valgrind',
    run: async (args) => (await import('./record.ts')).record(args),
  },
  replay: {
    summary: 'replay recordings of real programs, and compare every result',
    run: async (args) => (await import('./replay.ts')).replayCommand(args),
  },
  serve: {
    summary: 'the lab in the browser: machines that boot in a page',
    run: async (args) => (await import('./serve.ts')).serveCommand(args),
  },
  bench: {
    summary: 'measure against floors, or published microbenchmarks on every protocol',
    run: async (args) => (await import('./bench.ts')).bench(args),
  },
};

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => {
    return `  ${name.padEnd(width)}  ${summary}`;
  });
  return `Usage: faultline COMMAND [options]

Simulates one machine in shared memory, with Workers as its CPUs.

${lines.join('\n')}

  -h, --help     print this; faultline COMMAND --help tells more
  -V, --version  print the version

Exit status: 0 success, 1 the work failed or a violation was found, 2 bad usage.
${INTERRUPTED_HELP}

Try: faultline run hello`;
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) {
    console.error(help());
    return 2;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    console.log(help());
    return 0;
  }
  if (name === '--version' || name === '-V') {
    console.log(version());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command.run(args);
  const what = name.startsWith('-') ? 'option' : 'command';
  const hint = suggest(name, Object.keys(commands)) || '; see faultline --help';
  throw new UsageError(`unknown ${what} ${name}${hint}`);
}

watchOutput();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`faultline: ${message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
