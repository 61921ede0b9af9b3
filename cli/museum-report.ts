/** What `faultline museum` prints: the list, the table of all visits, one exhibit in full. */
import type { Exhibit } from '../lab/explore/museum/exhibit.ts';
import type { Visit } from '../lab/explore/museum/museum.ts';
import { counted } from './counted.ts';
import { formatCount, formatTable } from './text-table.ts';

const WIDTH = 96;

export function formatExhibits(exhibits: readonly Exhibit[]): string {
  return exhibits.map(({ name, original }) => `  ${name.padEnd(20)}${original}`).join('\n');
}

/** Whether the bug was found, and nothing without it. */
export function isAsExpected({ kind, cleanFailure }: Visit): boolean {
  return kind !== '' && cleanFailure === '';
}

export function formatVisits(visits: readonly Visit[]): string {
  const header = ['exhibit', 'mutant', 'scenario', 'protocol', 'found as', 'executions', 'without'];
  const rows = visits.map((visit) => [
    visit.exhibit.name,
    visit.exhibit.mutant,
    visit.scenario,
    visit.protocol,
    visit.kind === '' ? 'not found' : visit.kind,
    formatCount(visit.executions),
    visit.cleanFailure === '' ? 'clean' : visit.cleanFailure,
  ]);
  return formatTable(header, rows, 'lllllrl');
}

/** The exhibit's plate, what happened, and how often it had to be tried. */
export function formatVisit(visit: Visit): string {
  const { exhibit, scenario, protocol, executions, kind, cleanExecutions, cleanFailure } = visit;
  const found =
    kind === ''
      ? `Not found in ${scenario} under ${protocol}.`
      : `Found in ${scenario} under ${protocol}, after ${counted(executions, 'executions')}:`;
  const without =
    cleanFailure === ''
      ? `Without the bug: ${counted(cleanExecutions, 'executions')} nothing found.`
      : `Without the bug: ${cleanFailure}`;
  return [
    `${exhibit.name}: ${exhibit.original}`,
    paragraph('The original', exhibit.wrong),
    paragraph('How it was fixed', exhibit.fixed),
    paragraph(`Here (${exhibit.mutant})`, exhibit.here),
    ['Sources', ...exhibit.sources].join('\n  '),
    found,
    ...(kind === ''
      ? []
      : [visit.drawing, `Replay: faultline explore --replay '${visit.schedule}'`]),
    without,
  ].join('\n\n');
}

function paragraph(heading: string, text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] as string;
    if (last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`.trim();
    else lines.push(word);
  }
  return [heading, ...lines].join('\n  ');
}
