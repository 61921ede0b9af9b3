/** A story as text: what it is about, a lane for each CPU that does something, and the terms. */
import { idleText, lanesOf } from './story.ts';
import type { Moment, Story } from './story.ts';

/** Narrower lanes would break every line: then there is one lane for all. */
const LANE_MIN = 26;
const GAP = 2;
/** Before what is left of a line that was too long for its lane. */
const INDENT = '    ';

/** Nothing is wider than `columns`. */
export function formatStory(story: Story, columns: number): string {
  const { bug, decisive, terms } = story;
  const parts: [string, readonly string[]][] = [
    ['Scenario', [`${story.title}: ${story.about}`]],
    ['Seeded bug', bug === '' ? [] : [bug]],
    [`What went wrong (${story.kind})`, story.kind === 'none' ? [] : [story.wrong]],
    ['What happened', story.happened === '' ? [] : [story.happened]],
    ['What whole operations give, one after another', story.expected],
  ];
  const lines = parts.flatMap(([heading, texts]) => paragraph(heading, texts, columns));
  lines.push(...drawLanes(story, columns));
  if (decisive === null && story.kind !== 'none') {
    lines.push('', ...wrap('No operation need be interrupted for this.', columns));
  }
  // A failure that the kernel did not foresee has a stack.
  const [, ...stack] = story.failure.split('\n');
  if (stack.length > 0) lines.push('', ...stack.flatMap((line) => wrap(line, columns)));
  if (terms.length > 0) lines.push('', 'Terms');
  for (const [term, meaning] of terms) lines.push(...wrap(`  ${term}: ${meaning}`, columns));
  return lines.join('\n');
}

function paragraph(heading: string, texts: readonly string[], columns: number): string[] {
  if (texts.length === 0) return [];
  return [...wrap(heading, columns), ...texts.flatMap((text) => wrap(`  ${text}`, columns)), ''];
}

/** The lanes, side by side. Nothing leaves its lane. `counts`: of accesses that are left out. */
export function drawLanes(story: Story, columns: number, counts: boolean = true): string[] {
  const lanes = lanesOf(story);
  const count = Math.max(1, lanes.length);
  const fitting = Math.floor((columns - GAP * (count - 1)) / count);
  const isSingle = fitting < LANE_MIN;
  const width = isSingle ? columns : fitting;
  const lines: string[] = [];
  const put = (cpu: number, text: string): void => {
    const at = isSingle ? 0 : lanes.indexOf(cpu) * (width + GAP);
    for (const part of wrap(text, width)) lines.push(' '.repeat(Math.max(0, at)) + part);
  };
  for (let cpu = 0; cpu < story.operations.length; cpu++) {
    if (!lanes.includes(cpu)) lines.push(...wrap(idleText(story, cpu), columns), '');
  }
  const heads = lanes.map((cpu) => `CPU ${cpu}`.padEnd(width));
  if (!isSingle) lines.push(heads.join(' '.repeat(GAP)).trimEnd());
  const skipped = story.operations.map(() => 0);
  let last = -1;
  const passOver = (cpu: number): void => {
    const others = skipped[cpu] as number;
    skipped[cpu] = 0;
    if (others > 0 && counts)
      put(cpu, others === 1 ? '… 1 other access' : `… ${others} other accesses`);
  };
  for (const [index, moment] of story.moments.entries()) {
    if (story.decisive?.moment === index) lines.push(...banner(story.decisive.text, columns));
    const { cpu, isMinor } = moment;
    skipped[cpu]! += moment.skipped;
    if (isMinor || !lanes.includes(cpu)) {
      skipped[cpu]! += moment.kind === 'access' ? 1 : 0;
      continue;
    }
    if (last >= 0 && cpu !== last && lines[lines.length - 1] !== '') lines.push('');
    if (isSingle && cpu !== last) lines.push(`CPU ${cpu}`);
    last = cpu;
    passOver(cpu);
    put(cpu, lineOf(moment));
  }
  return lines;
}

function banner(text: string, columns: number): string[] {
  return ['', ...wrap(`>>> ${text}`, columns), ''];
}

function lineOf({ kind, text, place }: Moment): string {
  if (kind === 'operation') return `[${text}]`;
  return place === '' ? text : `${text}  ${place.replace(/^(kernel|lab\/explore)\//, '')}`;
}

/** Lines of at most `width` characters, broken at spaces, or after slashes where there are none. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const room = rest.slice(0, width + 1);
    const space = room.trimEnd().lastIndexOf(' ');
    const slash = room.slice(0, width).lastIndexOf('/') + 1;
    const end = space > INDENT.length ? space : slash > INDENT.length ? slash : width;
    lines.push(rest.slice(0, end).trimEnd());
    rest = INDENT + rest.slice(end).trimStart();
  }
  lines.push(rest);
  return lines;
}
