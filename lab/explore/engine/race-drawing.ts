/**
 * A story in short, with a column for each CPU: its operations, what they do to page tables and
 * TLBs, what programs load and store, and where a CPU is left for another. All else is left out.
 */
import { formatStory } from './story.ts';
import type { Moment, Story } from './story.ts';

/** Columns of the drawing. */
const WIDTH = 100;
/** What is told of all that is done: changes of entries and generations, accesses of programs. */
const TOLD =
  /^(?:(?:poke|store|exchange|compareExchange|fill) .*\) entry \d+ =|add space \S+ TLB_GEN|user )/;

/** The lines, without a heading. */
export function drawRace(story: Story): string {
  const told = story.moments.filter((moment, i) => isTold(moment, story.moments.slice(i + 1)));
  return formatStory({ ...story, about: [], moments: told }, WIDTH).trim();
}

/** `later`: what happens after it. */
function isTold({ kind, text, cpu }: Moment, later: readonly Moment[]): boolean {
  if (kind === 'operation') return true;
  if (kind === 'skipped') return false;
  if (TOLD.test(text)) return true;
  // The last that a CPU does before another goes on; an operation that ends leaves nothing open.
  const next = later.find((moment) => moment.kind !== 'skipped');
  return next === undefined || next.cpu !== cpu;
}
