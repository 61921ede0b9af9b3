/**
 * Goal: what cannot be derived from a list agrees with it all the same. Method: read the text of
 * the dispatcher and of the README, and look for each row or name.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  FLUSH_POLICIES,
  INJECT_KINDS,
  PROTOCOL_NAMES,
  RECLAIM_POLICY_NAMES,
} from '../../kernel/index.ts';
import { SYSCALLS } from '../../shared/abi/syscalls.ts';
import { FAULT_MODES } from '../../shared/wire.ts';

function text(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** What Linux declares as int or unsigned int: names of arguments, and single ones. */
const INT_NAMES: ReadonlySet<string> = new Set(['fd', 'resource', 'which', 'who', 'whence']);
const INT_ARGUMENTS: ReadonlySet<string> = new Set([
  ...['madvise/advice', 'msync/flags', 'mlock2/flags', 'mlockall/flags', 'setpriority/nice'],
  ...['futex_wake/count', 'prctl/option', 'arch_prctl/code', 'prlimit/pid', 'fallocate/mode'],
  ...['fcntl/command', 'wait4/pid', 'wait4/options'],
]);

describe('the dispatcher', () => {
  it.each(Object.entries(SYSCALLS))('hands all arguments of %s on', (name, { names }) => {
    const constant = `S.SYS_${name.toUpperCase()}`;
    const [, result = ''] =
      new RegExp(`case ${constant}:\\n +return (.*);`).exec(text('kernel/syscalls/dispatch.ts')) ??
      [];
    const [, given = ''] =
      /\(cpu, proc((?:, (?:[a-f]|intArgument\([a-f]\)))*)\)/.exec(result) ?? [];
    const letters = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, names.length);
    const isInt = (i: number): boolean =>
      INT_NAMES.has(names[i] ?? '') || INT_ARGUMENTS.has(`${name}/${names[i]}`);
    const wanted = letters.map((letter, i) =>
      isInt(i) ? `, intArgument(${letter})` : `, ${letter}`,
    );
    expect(given, result).toBe(wanted.join(''));
  });
});

describe('the README', () => {
  it.each([
    ['--protocol', PROTOCOL_NAMES],
    ['--shootdown', FLUSH_POLICIES],
    ['--faults', FAULT_MODES],
    ['--reclaim', RECLAIM_POLICY_NAMES],
    ['--inject', INJECT_KINDS],
  ])('lists all choices of %s', (option, names) => {
    const row = text('README.md')
      .split('\n')
      .find((line) => line.startsWith(`| \`${option} `));
    for (const name of names) expect(row).toMatch(new RegExp(`[\` ]${name}\``));
  });
});
