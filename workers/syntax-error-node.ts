/**
 * The place of a syntax error in a module that did not load. Node knows it, and keeps it from the
 * program: only what it prints for an error that nobody caught has it. So another Node fails to
 * load the module; nothing of it runs, for its graph does not link.
 */
import { execFile } from 'node:child_process';

const TIMEOUT_MS = 5000;
const script = 'import(process.argv[1])';

/** The error as Node prints it, 'FILE:LINE' first, or null when it is no such error. */
export function explainSyntaxError(url: string, error: unknown): Promise<string | null> {
  const isOfLoader =
    error instanceof SyntaxError && /\(node:internal\/modules\/esm\//.test(String(error.stack));
  if (!isOfLoader) return Promise.resolve(null);
  const args = ['--input-type=module', '--eval', script, '--', url];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: TIMEOUT_MS }, (_failure, _output, text) => {
      const printed = text.split(/\n\s+at |\n\nNode\.js v/, 1)[0]?.trim() ?? '';
      resolve(/^\S+:\d+\n/.test(printed) ? printed : null);
    });
  });
}
