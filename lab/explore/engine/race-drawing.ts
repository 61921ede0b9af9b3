/**
 * A story in short, with a column for each CPU: its operations, what they do to page tables and
 * TLBs, what programs load and store, and where a CPU is left in the middle of an operation. All
 * else is left out, and so are line numbers, which change with every edit of the kernel.
 */
import { finish } from '../model/kit.ts';
import { formatStory, wrap } from './story.ts';
import type { Moment, Story } from './story.ts';

/** Columns of the drawing. */
const WIDTH = 100;
/** What is told of all that is done: changes of entries and generations, accesses of programs. */
const TOLD =
  /^(?:(?:poke|store|exchange|compareExchange|fill) .*\) entry \d+ =|add space \S+ TLB_GEN|user )/;

/** The lines, without a heading. */
export function drawRace(story: Story): string {
  const steps = story.moments.filter(({ kind }) => kind !== 'skipped');
  const ended = new Set<number>();
  const told: Moment[] = [];
  for (const [i, moment] of steps.entries()) {
    // How programs give up their CPUs is no part of what went wrong.
    if (moment.text === finish.name) ended.add(moment.cpu);
    if (ended.has(moment.cpu) && i < steps.length - 1) continue;
    if (isTold(moment, steps.slice(i + 1))) {
      told.push({ ...moment, place: moment.place.replace(/:\d+$/, '') });
    }
  }
  const drawn = formatStory({ ...story, about: [], moments: told }, WIDTH).trim();
  return drawn
    .split('\n')
    .flatMap((line) => wrap(line, WIDTH))
    .join('\n');
}

/** `later`: what happens after it. */
function isTold({ kind, text, cpu }: Moment, later: readonly Moment[]): boolean {
  if (kind === 'operation' || TOLD.test(text)) return true;
  const [next] = later;
  if (next === undefined) return true;
  const own = later.find((moment) => moment.cpu === cpu);
  return next.cpu !== cpu && own?.kind === 'access';
}
