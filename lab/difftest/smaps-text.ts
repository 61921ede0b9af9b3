/**
 * /proc/PID/smaps as both sides can show it. Of a file's pages only those that a private mapping
 * has made its own are compared: Linux maps more of the others than the program touches.
 * `Referenced` is left out where it also counts a mark (PG_referenced) that populating leaves on
 * the page itself.
 */
import {
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MAP_LOCKED,
  MAP_POPULATE,
} from '../../shared/abi/mman.ts';
import { hex } from './maps-text.ts';
import type { Placed } from './maps-text.ts';
import type { Op } from './sequence.ts';

const HEADER = /^([0-9a-f]+)-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$/;
const OF_ALL: ReadonlySet<string> = new Set(['Anonymous', 'Swap', 'VmFlags']);
const OF_MEMORY: ReadonlySet<string> = new Set([
  ...['Rss', 'Pss', 'Pss_Dirty', 'Shared_Clean', 'Shared_Dirty', 'Private_Clean'],
  ...['Private_Dirty', 'Referenced', 'Locked', ...OF_ALL],
]);

/** Whether the call may leave that mark, or a child see it. */
export function marksPages({ call, args }: Op): boolean {
  const [, , third, fourth] = args.map((arg) => (typeof arg === 'number' ? arg : 0));
  switch (call) {
    case 'mmap':
      return ((fourth ?? 0) & (MAP_POPULATE | MAP_LOCKED)) !== 0;
    case 'madvise':
      return [MADV_POPULATE_READ, MADV_POPULATE_WRITE].includes((third ?? 0) | 0);
    default:
      return call === 'fork' || /^mlock/.test(call);
  }
}

/** A line for each area that begins in a window, addresses relative to it. */
export function smapsIn(text: string, windows: readonly Placed[], isMarked: boolean): string[] {
  const lines: string[] = [];
  let fields: ReadonlySet<string> | null = null;
  for (const line of text.split('\n')) {
    const [, from = '', name = ''] = HEADER.exec(line) ?? [];
    if (from !== '') {
      const start = Number.parseInt(from, 16);
      const window = windows.find((one) => one.start <= start && start < one.end);
      fields = window === undefined ? null : name === '' || name === '[heap]' ? OF_MEMORY : OF_ALL;
      if (window !== undefined) {
        lines.push(`${window.name} ${hex(start - window.start)}:`);
      }
      continue;
    }
    const [field = '', value = ''] = line.split(':');
    if (fields?.has(field) !== true || (isMarked && field === 'Referenced')) continue;
    // The host's heap begins before the window: a guard of an earlier sequence shows for ever.
    const shown = lines.at(-1)?.startsWith('heap') === true ? value.replace(' gu', '') : value;
    lines[lines.length - 1] += ` ${field} ${shown.trim().replace(/ kB$/, '')}`;
  }
  return lines;
}

/** Where the last area begins whose text is complete; 0 for none. */
export function lastAreaIn(text: string): number {
  const end = text.lastIndexOf('VmFlags');
  for (let at = text.lastIndexOf('\n', end); at > 0; at = text.lastIndexOf('\n', at - 1)) {
    const [, from = ''] = HEADER.exec(text.slice(at + 1, text.indexOf('\n', at + 1))) ?? [];
    if (from !== '') return Number.parseInt(from, 16);
  }
  return 0;
}
