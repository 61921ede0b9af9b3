/**
 * What belongs to a final state beside the machine's words: what the TLBs hold, what programs can
 * see, and what the scenario observes.
 */
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import type { Subject } from './subject.ts';

/** A CPU outside user and kernel mode, which can look at the machine. */
export function idleCpu({ world, words }: Subject): Cpu {
  const isIdle = ({ base }: Cpu): boolean =>
    ((words[base + CPU.MODE] as number) & CPU.MODE_MASK) === CPU.MODE_IDLE;
  const cpu = world.cpus.find(isIdle);
  if (cpu === undefined) throw new Error('no CPU is idle at the end');
  return cpu;
}

/** What programs can see of the machine; it is left with more pages in memory than it had. */
export function viewOf(subject: Subject): string {
  const { audited, viewed } = subject.scenario;
  if (audited === false || viewed === false) return '';
  const { module } = subject.model;
  const cpu = idleCpu(subject);
  subject.direct(() => module.enterKernel(cpu));
  return subject.direct(() => module.finalView(cpu));
}

/** One text of what the scenario and programs see. */
export function observedOf(observed: string, view: string): string {
  return observed === '' ? view : `${observed}; ${view}`;
}

/** A hash of the TLBs' contents, whatever the order in which their slots were filled. */
export function hashTlbs(cpus: readonly Cpu[]): number {
  let hash = 0;
  for (const { id, tlb } of cpus) {
    for (let i = 0; i < tlb.filledCount; i++) {
      const slot = tlb.filled[i] as number;
      let mixed = Math.imul((id << 16) ^ slot, 0x9e3779b1) ^ (tlb.frameAt[slot] as number);
      mixed = Math.imul(mixed ^ (tlb.readBase[slot] as number), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (tlb.writeBase[slot] as number), 0xc2b2ae35);
      hash = (hash + (mixed ^ (mixed >>> 15))) | 0;
    }
  }
  return hash;
}
