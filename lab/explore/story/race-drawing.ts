/**
 * A story in short, with a lane for each CPU: its operations, what they do to page tables and TLBs,
 * what programs load and store, and where a CPU is left in the middle of an operation. All else is
 * left out, and so are line numbers, which change with every edit of the kernel.
 */
import type { Story } from './story.ts';
import { drawLanes, wrap } from './story-text.ts';

/** Columns of the drawing. */
const WIDTH = 100;

/** The lines, without a heading. */
export function drawRace(story: Story): string {
  const { wrong, happened, expected } = story;
  const moments = story.moments.map((moment) => {
    return { ...moment, skipped: 0, place: moment.place.replace(/:\d+$/, '') };
  });
  const lines = drawLanes({ ...story, moments }, WIDTH, false);
  const rest = [
    wrong,
    ...(happened === '' ? [] : [happened]),
    ...expected.map((text) => `expected: ${text}`),
  ];
  return [...lines, '', ...rest.flatMap((text) => wrap(text, WIDTH))].join('\n').trim();
}
