/**
 * Reading the machine from the page's thread, which is none of its CPUs: it takes no lock, so what
 * it reads is momentary and may be torn. Every index is checked, so that a block which was freed
 * meanwhile gives wrong numbers and never an exception.
 */
import { frameField, frameWord } from '../../kernel/index.ts';
import type { Machine } from '../../kernel/index.ts';
import { peek } from '../../shared/atomics.ts';
import * as FRAME from '../../shared/layout/frame.ts';
import type { Pfn, WordIndex } from '../../shared/units.ts';

const STATE_MASK = 0xf;

/** The word at `at`; 0 outside the machine. */
export function word(machine: Machine, at: WordIndex): number {
  return at >= 0 && at < machine.words.length ? peek(machine.words, at) : 0;
}

/** FRAME.STATE without its flags. */
export function stateOf(machine: Machine, pfn: Pfn): number {
  return word(machine, frameField(machine, pfn, FRAME.STATE)) & STATE_MASK;
}

function isTableFrame(machine: Machine, pfn: Pfn): boolean {
  return pfn > 0 && pfn < machine.frames && stateOf(machine, pfn) === FRAME.TABLE;
}

/** First word of the table in frame `pfn`, or -1 when it is none (any more). */
export function tableWord(machine: Machine, pfn: Pfn): WordIndex {
  return isTableFrame(machine, pfn) ? frameWord(machine, pfn) : -1;
}
