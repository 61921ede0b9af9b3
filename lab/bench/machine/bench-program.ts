/**
 * The program that runs on a machine for the table: a process for each group of figures, which it
 * prints as one line of JSON.
 */
import { defineProgram } from '../../../workers/program.ts';
import type { Proc, Program } from '../../../workers/program.ts';
import { pinThread } from '../host.ts';
import { hitTestFigures } from './hit-tests.ts';
import type { HitTest, HitTestFigures } from './hit-tests.ts';
import { forkNs, localFigures, remoteFaultNs, zeroedFaultNs } from './kernel-loops.ts';
import type { LocalFigures } from './kernel-loops.ts';
import { bulkFigures, hitFigures } from './memory-loops.ts';
import type { BulkFigures, HitFigures } from './memory-loops.ts';
import { comlinkFigures, trapFigures } from './message-loops.ts';
import type { MessageFigures } from './message-loops.ts';
import { scalingFigures, shootdownFigures } from './pair-loops.ts';
import type { ScalingFigures, ShootdownFigures } from './pair-loops.ts';
import { zeroingFigures } from './zeroing.ts';
import type { ZeroingFigures } from './zeroing.ts';

/** What each group measures, in nanoseconds unless stated otherwise. */
export interface ProgramFigures extends Readonly<Record<HitTest, HitTestFigures>> {
  readonly hits: HitFigures;
  readonly bulk: BulkFigures;
  readonly local: LocalFigures;
  readonly fork: number;
  readonly zeroed: number;
  readonly remote: number;
  readonly trap: MessageFigures;
  readonly comlink: MessageFigures;
  readonly shootdown: ShootdownFigures;
  readonly scaling: ScalingFigures;
  readonly zeroing: ZeroingFigures;
}

type Measure<F> = (proc: Proc, peerCpu: number | null) => F | Promise<F>;

const groups: { readonly [Group in keyof ProgramFigures]: Measure<ProgramFigures[Group]> } = {
  hits: hitFigures,
  bulk: bulkFigures,
  local: localFigures,
  fork: forkNs,
  zeroed: zeroedFaultNs,
  remote: remoteFaultNs,
  trap: trapFigures,
  comlink: comlinkFigures,
  shootdown: shootdownFigures,
  scaling: scalingFigures,
  zeroing: zeroingFigures,
  hit: () => hitTestFigures('hit'),
  'hit-uncounted': () => hitTestFigures('hit-uncounted'),
  'hit-unpolled': () => hitTestFigures('hit-unpolled'),
  'hit-tag': () => hitTestFigures('hit-tag'),
  'hit-ordered-poll': () => hitTestFigures('hit-ordered-poll'),
};

/** `hostCpus`: where to pin this thread and whatever it starts; empty for nowhere. */
const program: Program = defineProgram(
  async (proc: Proc, group: keyof ProgramFigures | null, hostCpus: readonly number[]) => {
    if (group === null) return 0;
    const [mine = null, peerCpu = null] = hostCpus;
    const pinned = pinThread(mine);
    proc.print(JSON.stringify({ figures: await groups[group](proc, peerCpu), pinned }));
    return 0;
  },
);

export { answerer, faulter } from './pair-loops.ts';

export function forkedChild(): void {}

export default program;
