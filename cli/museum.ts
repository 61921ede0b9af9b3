/** `faultline museum`: bugs that real kernels had, found again. Returns the exit status. */
import { Laboratory } from '../lab/explore/laboratory.ts';
import { EXHIBITS, visit } from '../lab/explore/museum/museum.ts';
import type { Visit } from '../lab/explore/museum/museum.ts';
import { nodeHost } from '../lab/explore/node/node-host.ts';
import { writeStoryPage } from '../lab/explore/node/story-page.ts';
import { interruptibly } from './interruption.ts';
import { formatExhibits, formatVisit, formatVisits, isAsExpected } from './museum-report.ts';
import { parseMuseum } from './museum-request.ts';
import type { MuseumRequest } from './museum-request.ts';

export async function museumCommand(args: readonly string[]): Promise<number> {
  const request = parseMuseum(args);
  if (typeof request === 'string' || request.list) {
    const list = (json: boolean): string =>
      json ? JSON.stringify(EXHIBITS, null, 2) : formatExhibits(EXHIBITS);
    console.log(typeof request === 'string' ? request : list(request.json));
    return 0;
  }
  return interruptibly((signal) => {
    const laboratory = new Laboratory(nodeHost());
    signal.addEventListener('abort', () => laboratory.stop());
    return show(laboratory, request);
  });
}

async function show(
  laboratory: Laboratory,
  { name, protocol, html, json }: MuseumRequest,
): Promise<number> {
  const visits: Visit[] = [];
  for (const exhibit of EXHIBITS) {
    if (laboratory.isStopped || (name !== null && exhibit.name !== name)) continue;
    if (name === null) console.error(exhibit.name);
    visits.push(await visit(laboratory, exhibit, protocol ?? undefined));
  }
  if (json) console.log(JSON.stringify(visits, null, 2));
  else console.log(name === null ? formatVisits(visits) : visits.map(formatVisit).join('\n'));
  const [only] = visits;
  if (html !== null && only !== undefined && only.schedule !== '') {
    const { story } = await laboratory.retell(only.schedule);
    const command = `faultline explore --replay '${only.schedule}'`;
    writeStoryPage(html, story, { heading: only.exhibit.original, command });
  } else if (html !== null) {
    console.error(`faultline: no failure to draw, so ${html} is not written`);
  }
  return visits.every(isAsExpected) ? 0 : 1;
}
