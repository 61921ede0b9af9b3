/** Runs the built `faultline` command in a process of its own, as a user does. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../dist/faultline.js', import.meta.url));
const timeoutMs = 60_000;

export interface CommandOutcome {
  /** null when a signal, such as the time limit's, ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of test/fixtures/programs. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/programs/${name}`, import.meta.url));
}

export function faultline(...args: string[]): Promise<CommandOutcome> {
  return run(args, () => {});
}

/** Runs the command, and sends it SIGINT, as Ctrl-C does, once stderr matches `when`. */
export function interrupted(when: RegExp, ...args: string[]): Promise<CommandOutcome> {
  let isSent = false;
  return run(args, (child, stderr) => {
    if (isSent || !when.test(stderr)) return;
    isSent = true;
    child.kill('SIGINT');
  });
}

/** `heard` gets all that was printed on stderr so far, each time there is more. */
function run(
  args: readonly string[],
  heard: (child: ChildProcess, stderr: string) => void,
): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [command, ...args], { timeout: timeoutMs });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      heard(child, stderr);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}
