/** Keeps a thread on one CPU of the host, where taskset(1) exists. */
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';

/**
 * Whether the kernel of the host now keeps this very thread on `hostCpu`, one or several. Threads
 * that it starts from then on inherit that.
 */
export function pinThread(hostCpu: number | readonly number[] | null): boolean {
  if (hostCpu === null) return false;
  try {
    const tid = readlinkSync('/proc/thread-self').split('/').at(-1) ?? '';
    return spawnSync('taskset', ['-p', '-c', String(hostCpu), tid]).status === 0;
  } catch {
    return false;
  }
}
