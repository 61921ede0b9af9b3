/**
 * A limit on address space (`ulimit -v`) under which the engine cannot start Workers: V8 then
 * aborts the process, which nothing in it can catch, so it is looked for beforehand.
 */
import { readFileSync } from 'node:fs';

/** What a Worker reserves: 540 to 620 MiB on Node 20 (VmSize of machines of 1, 2 and 8 CPUs). */
const WORKER_BYTES: number = 620 * 2 ** 20;

/**
 * Throws an error that says what to do, if a machine of `cpus` CPUs does not fit. Does nothing on
 * hosts without /proc.
 */
export function requireAddressSpace(cpus: number, memoryBytes: number): void {
  const needed = (cpus + 1) * WORKER_BYTES + memoryBytes;
  const limit = valueIn('/proc/self/limits', /^Max address space +(\d+)/m);
  const used = valueIn('/proc/self/status', /^VmSize:\s+(\d+) kB/m) * 1024;
  if (!(limit - used < needed)) return;
  const [has, needs] = [inMib(limit), inMib(used + needed)];
  throw new Error(
    `the limit on address space is ${has} MiB, the engine needs ${needs}: raise ulimit -v`,
  );
}

function valueIn(path: string, pattern: RegExp): number {
  try {
    const [, digits] = pattern.exec(readFileSync(path, 'latin1')) ?? [];
    return digits === undefined ? NaN : Number(digits);
  } catch {
    return NaN;
  }
}

function inMib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
