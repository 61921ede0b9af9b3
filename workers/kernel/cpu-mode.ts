/** What a CPU is doing, as another one sees it. */
import type { Cpu } from '../../kernel/index.ts';
import { load } from '../../shared/atomics.ts';
import * as CPU from '../../shared/layout/cpu.ts';

/** The mode of CPU `id` (CPU.MODE_*) at this moment. It may have changed when this returns. */
export function modeOf({ machine, words }: Cpu, id: number): number {
  // ORDER: a momentary value. A caller that must be sure changes the mode by compare-exchange.
  return load(words, machine.cpuBase + id * CPU.WORDS + CPU.MODE) & CPU.MODE_MASK;
}
