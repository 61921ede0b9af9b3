/** The host that a result belongs to, and its CPUs, to which threads are pinned. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface HostFacts {
  readonly cpuModel: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
  /** Load of the last minute when the run began: above 0.5, other work disturbed the figures. */
  readonly loadBefore: number;
}

export function hostFacts(): HostFacts {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** Host CPUs to pin to: those this process may run on, where taskset(1) exists; else none. */
export function pinnableCpus(): number[] {
  try {
    if (spawnSync('taskset', ['--version']).status !== 0) return [];
    const status = readFileSync('/proc/self/status', 'utf8');
    return parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '');
  } catch {
    return [];
  }
}

/** '0-2,5' as [0, 1, 2, 5]. */
export function parseCpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (first === undefined) return [];
    const length = Number(last ?? first) - Number(first) + 1;
    return Array.from({ length }, (_, i) => Number(first) + i);
  });
}

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
