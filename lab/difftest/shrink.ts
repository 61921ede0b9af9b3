/**
 * Shrinking: the shortest sequence that still shows a disagreement. Calls go in ever smaller
 * groups (ddmin), then arguments become simpler. Greedy and deterministic.
 */
import { PAGE_SIZE } from '../../shared/limits.ts';
import type { Arg, Op, Sequence } from './sequence.ts';

/** Whether the sides still disagree. */
export type Fails = (sequence: Sequence) => Promise<boolean>;

/** Trials at most: each runs a sequence on both sides. */
const TRIALS_MAX = 600;

export async function shrink(sequence: Sequence, fails: Fails): Promise<Sequence> {
  let trials = 0;
  let best = sequence;
  const accept = async (candidate: Sequence): Promise<boolean> => {
    if (trials >= TRIALS_MAX) return false;
    trials += 1;
    if (!(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let before = Infinity; sizeOf(best) < before;) {
    before = sizeOf(best);
    await dropCalls(() => best, accept);
    await simplify(() => best, accept);
  }
  return best;
}

type Accept = (candidate: Sequence) => Promise<boolean>;

/** Shorter and simpler is smaller. */
function sizeOf({ ops, eager, privileged }: Sequence): number {
  const args = ops.flatMap((op) => op.args.map(weightOf));
  const settings = (eager ? 1 : 0) + (privileged ? 0 : 1);
  return ops.length * 1e6 + args.reduce((sum, weight) => sum + weight, 0) + settings;
}

function weightOf(arg: Arg): number {
  if (typeof arg === 'object') return 2 + weightOf(arg.plus);
  return Math.min(20_000, Math.abs(arg) / PAGE_SIZE + (arg % PAGE_SIZE === 0 ? 0 : 10));
}

async function dropCalls(best: () => Sequence, accept: Accept): Promise<void> {
  for (let size = Math.ceil(best().ops.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = best().ops.length - size; at >= 0; at -= size) {
      const { ops } = best();
      await accept({ ...best(), ops: [...ops.slice(0, at), ...ops.slice(at + size)] });
    }
  }
}

async function simplify(best: () => Sequence, accept: Accept): Promise<void> {
  if (best().eager) await accept({ ...best(), eager: false });
  if (!best().privileged) await accept({ ...best(), privileged: true });
  for (let at = 0; at < best().ops.length; at++) {
    for (let i = 0; i < (best().ops[at]?.args.length ?? 0); i++) {
      const op = best().ops[at] as Op;
      for (const simpler of simplerThan(op.args[i] as Arg)) {
        const args = op.args.map((arg, k) => (k === i ? simpler : arg));
        const ops = best().ops.map((one, k) => (k === at ? { ...op, args } : one));
        if (await accept({ ...best(), ops })) break;
      }
    }
  }
}

/** Simplest first. */
function simplerThan(arg: Arg): Arg[] {
  if (typeof arg === 'object') {
    const candidates = simplerThan(arg.plus).map((plus) => ({ ...arg, plus: plus as number }));
    return arg.base === 'high' ? [{ ...arg, base: 'low' }, ...candidates] : candidates;
  }
  const candidates = [0, 1, PAGE_SIZE, 2 * PAGE_SIZE, 3 * PAGE_SIZE, arg - (arg % PAGE_SIZE)];
  // Flags: without each of the bits.
  for (let bit = 1; bit <= 2 ** 26 && arg < 2 ** 27; bit *= 2) {
    if ((arg & bit) !== 0) candidates.push(arg - bit);
  }
  if (arg % PAGE_SIZE === 0) candidates.push(arg - PAGE_SIZE);
  return candidates.filter((one) => one >= 0 && weightOf(one) <= weightOf(arg) && one !== arg);
}
