/**
 * The host's own `wc -w`, as a second opinion. What it counts in the C locale differs: for GNU wc
 * 9.1 a run of bytes without a printable one is no word, for POSIX it is. So we find out by running
 * it.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export type WordRule = 'any' | 'printable';

export interface WordCheck {
  /** What the program counted; null when it printed no count. */
  readonly words: number | null;
  /** What `wc -w` counts; null where there is no wc. */
  readonly wcWords: number | null;
  readonly agrees: boolean | null;
}

function runWc(options: { input: string } | { stdin: number }): number | null {
  const { status, stdout } = spawnSync('wc', ['-w'], {
    env: { ...process.env, LC_ALL: 'C' },
    encoding: 'utf8',
    ...('input' in options
      ? { input: options.input }
      : { stdio: [options.stdin, 'pipe', 'ignore'] as const }),
  });
  const words = status === 0 ? Number.parseInt(stdout, 10) : NaN;
  return Number.isNaN(words) ? null : words;
}

/** The rule of this host's wc; POSIX's where there is none. */
export function hostWordRule(): WordRule {
  return runWc({ input: '\u0001\n' }) === 0 ? 'printable' : 'any';
}

export function compareWithWc(path: string, words: number | null): WordCheck {
  const stdin = openSync(path, 'r');
  try {
    const wcWords = runWc({ stdin });
    return { words, wcWords, agrees: wcWords === null ? null : wcWords === words };
  } finally {
    closeSync(stdin);
  }
}
