/**
 * Transcripts in documents: blocks marked `console`, in which a line that begins with `$ ` is a
 * command and the lines below it are what it prints. Blocks marked `js NAME` or `ts NAME` are files
 * that the commands may use. A line `…` stands for any lines.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 120_000;
/** Stands in documents for the folder in which the commands run. */
const SHOWN_FOLDER = '/home/you/first';

export interface Step {
  readonly command: string;
  readonly printed: readonly string[];
}

export interface Documented {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** The commands of each console block. */
  readonly blocks: readonly (readonly Step[])[];
}

export function parseDocument(markdown: string): Documented {
  const fences = [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)];
  const files = fences.flatMap(([, kind, name, text = '']) =>
    name !== undefined && (kind === 'js' || kind === 'ts') ? [{ name, text }] : [],
  );
  const blocks = fences.flatMap(([, kind, , text = '']) =>
    kind === 'console' ? [stepsOf(text)] : [],
  );
  return { files, blocks };
}

function stepsOf(text: string): Step[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...printed] = part.trimEnd().split('\n');
      return { command, printed };
    });
}

/** A folder in which the commands of a document run, with `faultline` and `npx` of this build. */
export class TranscriptFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'faultline-docs-'));

  constructor({ files }: Documented) {
    const bin = join(this.path, '.bin');
    mkdirSync(bin);
    mkdirSync(join(this.path, 'node_modules'));
    symlinkSync(ROOT, join(this.path, 'node_modules', 'faultline'));
    for (const name of ['docs', 'test']) symlinkSync(join(ROOT, name), join(this.path, name));
    writeFileSync(join(this.path, 'package.json'), '{"type":"module"}\n');
    const faultline = `exec '${process.execPath}' '${join(ROOT, 'dist', 'faultline.js')}' "$@"`;
    for (const [name, line] of [
      ['faultline', faultline],
      ['npx', 'exec "$@"'],
    ] as const) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    for (const { name, text } of files) writeFileSync(join(this.path, name), text);
  }

  /** What a command prints on either stream, in order. */
  run(command: string): Promise<string[]> {
    const env = {
      ...process.env,
      PATH: `${join(this.path, '.bin')}${delimiter}${process.env.PATH}`,
    };
    const options = { cwd: this.path, env, timeout: TIMEOUT_MS };
    return new Promise((resolve) => {
      execFile('sh', ['-c', `{ ${command}\n} 2>&1`], options, (_, stdout) => {
        const shown = stdout.replace(BUSY, '').replaceAll(this.path, SHOWN_FOLDER);
        resolve(shown.trim() === '' ? [] : shown.trimEnd().split('\n'));
      });
    });
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Lines of a report in which each number may differ between two runs. */
const VARYING = /^(machine|time|frames|swap|reclaim|pressure|audit) {2,}|^ {9}\d/;
/** Of the line of times. */
const BUSY = /; the host is busy.*$/gm;
const TABLE = /^(PID|SYSCALL) /;

/**
 * The lines as they are to be compared: times, rates and figures that follow from how threads
 * interleave are left out, and so is how wide columns are.
 */
export function comparable(lines: readonly string[]): string[] {
  let inTable = false;
  return lines.map((line) => {
    if (TABLE.test(line)) inTable = true;
    if (line === '') inTable = false;
    const timed = line
      .replace(/\d[\d.,]* (us|ms|s)\b/g, 'TIME')
      .replace(/[\d,]+\/s\b/g, 'RATE')
      .replace(/on CPU \d+/g, 'on CPU N')
      // What else is in use depends on how far frames and tables on their way back have come.
      .replace(/^audit +clean .*/, 'audit clean')
      .replace(/0x3ff[0-9a-f]+/g, 'ADDRESS');
    const masked = inTable || VARYING.test(line) ? timed.replace(/\d[\d,]*/g, 'N') : timed;
    return masked.replace(/ +/g, ' ').trim();
  });
}

/** Whether `actual` is what the document shows, where `…` stands for any lines. */
export function agrees(shown: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return actual.length === 0;
  if (first !== '…') return first === actual[0] && agrees(rest, actual.slice(1));
  return actual.some((_, from) => agrees(rest, actual.slice(from))) || agrees(rest, []);
}

/** The document with what its commands print now; what it shortens by `…` is left as it is. */
export function withPrinted(markdown: string, command: string, lines: readonly string[]): string {
  const at = markdown.indexOf(`\n$ ${command}\n`) + `\n$ ${command}\n`.length;
  const end = at + markdown.slice(at).search(/^(```$|\$ )/m);
  if (markdown.slice(at, end).split('\n').includes('…')) return markdown;
  const text = lines.map((line) => `${line.trimEnd()}\n`).join('');
  return markdown.slice(0, at) + text + markdown.slice(end);
}
