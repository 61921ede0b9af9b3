/**
 * The program behind `faultline bench`'s table: a process for each group of figures, which it
 * prints as one line of JSON.
 */
import { defineProgram } from '../../../workers/program.ts';
import type { Proc, Program } from '../../../workers/program.ts';
import { pinThread } from '../pin.ts';
import type { Figures } from './figures.ts';
import { forkFigures, localFigures, remoteFigures, zeroedFigures } from './kernel-loops.ts';
import { bulkFigures, hitFigures } from './memory-loops.ts';
import { comlinkFigures, trapFigures } from './message-loops.ts';
import { answerer, faulter, scalingFigures, shootdownFigures } from './pair-loops.ts';
import type { Side } from './pair-loops.ts';

const groups: Readonly<Record<string, (proc: Proc, side: Side) => Figures | Promise<Figures>>> = {
  hits: hitFigures,
  bulk: bulkFigures,
  local: localFigures,
  fork: forkFigures,
  zeroed: zeroedFigures,
  remote: remoteFigures,
  trap: trapFigures,
  comlink: comlinkFigures,
  shootdown: shootdownFigures,
  scaling: scalingFigures,
  nothing: () => ({}),
};

/** `hostCpus`: where to pin this thread and the one it starts; empty for nowhere. */
const program: Program = defineProgram(
  async (proc: Proc, group: string, hostCpus: readonly number[]) => {
    if (group === 'nothing') return 0;
    const [mine = null, peerCpu = null] = hostCpus;
    const pinned = pinThread(mine);
    const side: Side = {
      peerCpu,
      start: (entry, args) => proc.clone(entry, { args: [peerCpu, ...args] }),
    };
    const figures = await groups[group]?.(proc, side);
    proc.print(JSON.stringify({ ...figures, pinned: pinned ? 1 : 0 }));
    return figures === undefined ? 1 : 0;
  },
);

export function answererThread(
  proc: Proc,
  hostCpu: number | null,
  shared: SharedArrayBuffer,
  meet: number,
): void {
  pinThread(hostCpu);
  answerer(proc, shared, meet);
}

export function faulterThread(
  proc: Proc,
  hostCpu: number | null,
  meet: number,
  thread: number,
  threads: number,
): void {
  pinThread(hostCpu);
  faulter(proc, meet, thread, threads);
}

export function forkedChild(): void {}

export default program;
