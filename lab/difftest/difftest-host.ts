/**
 * The host's side: a process that runs sequences as they come on stdin, a JSON line each, and
 * answers each with a line on stdout. It does nothing else, asynchronous or not, because while a
 * sequence runs its runtime cannot get memory.
 *
 * argv: `user` to give up root's rights first.
 */
import { readSync, writeSync } from 'node:fs';
import koffi from 'koffi';
import { PAGE_SIZE } from '../../shared/limits.ts';
import { HostSubject } from './host-subject.ts';
import { UNFIT } from './host-messages.ts';
import type { HostRequest } from './host-messages.ts';
import { runSequence } from './script.ts';
import { HEAP_PAGES } from './sequence.ts';

const NOBODY = 65534;
const STDIN = 0;
const STDOUT = 1;
const PR_SET_DUMPABLE = 4;
const SYS_PRCTL = 157;
/** Where MAP_32BIT looks for room, from here upwards. */
const FIRST_32BIT = 0x4000_0000;
const HEAP_RESERVE: number = (HEAP_PAGES + 4) * PAGE_SIZE;

const subject = new HostSubject(koffi);
if (process.argv[2] === 'user' && process.getuid?.() === 0) {
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
  subject.syscall(SYS_PRCTL, PR_SET_DUMPABLE, 1);
}

function answer(line: string): string {
  const { sequence, options } = JSON.parse(line) as HostRequest;
  // The heap's window is the lowest one in the simulator, out of MAP_32BIT's reach. Here its place
  // is random for each process: let another process try.
  if (options.has.brk && subject.place().brk + HEAP_RESERVE > FIRST_32BIT) process.exit(UNFIT);
  try {
    const { outcomes, isEmpty } = runSequence(subject, sequence, options);
    return JSON.stringify({ outcomes, isSpent: !isEmpty && !subject.nextPlace() });
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}

function main(): void {
  writeSync(STDOUT, `${JSON.stringify({ directory: subject.directory })}\n`);
  const buffer = Buffer.alloc(2 ** 20);
  let text = '';
  for (;;) {
    const length = readSync(STDIN, buffer);
    if (length === 0) return;
    text += buffer.toString('latin1', 0, length);
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      writeSync(STDOUT, `${answer(line)}\n`);
    }
  }
}

main();
