/** The lines that `faultline record` adds to what strace prints. Each begins with a hash. */
import { parseMaps } from '../../difftest/maps-text.ts';
import type { MapsLine } from '../../difftest/maps-text.ts';

/** The first line of a recording, without the hash; the tool's name follows. */
const HEADER = 'faultline recording 1';

/** One line of a recording. */
export type Mark =
  | { readonly kind: 'header' }
  /** What was run. */
  | { readonly kind: 'command'; readonly text: string }
  /** On what. */
  | { readonly kind: 'host'; readonly text: string }
  /** The size of a file that was mapped, in bytes. */
  | { readonly kind: 'file'; readonly size: number; readonly path: string }
  /** The lines of /proc/PID/maps follow: after execve, or before the end. */
  | { readonly kind: 'maps'; readonly pid: number; readonly when: 'exec' | 'exit' }
  | { readonly kind: 'area'; readonly area: MapsLine }
  | { readonly kind: 'unknown' };

const UNKNOWN: Mark = { kind: 'unknown' };

export function parseMark(text: string): Mark {
  if (text.startsWith(`${HEADER} `)) return { kind: 'header' };
  const space = text.indexOf(' ');
  const rest = text.slice(space + 1);
  switch (space < 0 ? text : text.slice(0, space)) {
    case 'command':
      return { kind: 'command', text: rest };
    case 'host':
      return { kind: 'host', text: rest };
    case 'file': {
      const [, size, path] = /^(\d+) (.+)$/.exec(rest) ?? [];
      if (size === undefined || path === undefined) return UNKNOWN;
      return { kind: 'file', size: Number(size), path };
    }
    case 'maps': {
      const [, pid, when] = /^(\d+) (exec|exit)$/.exec(rest) ?? [];
      if (pid === undefined) return UNKNOWN;
      return { kind: 'maps', pid: Number(pid), when: when === 'exec' ? 'exec' : 'exit' };
    }
    case 'm': {
      const [area] = isMapsLine(rest) ? parseMaps(`${rest}\n`) : [];
      return area === undefined ? UNKNOWN : { kind: 'area', area };
    }
    default:
      return UNKNOWN;
  }
}

const MAPS_LINE = /^[0-9a-f]+-[0-9a-f]+ [r-][w-][x-][ps] [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ \d+/;

/** Whether it is a line of /proc/PID/maps. */
export function isMapsLine(text: string): boolean {
  return MAPS_LINE.test(text);
}

/** The first line of a recording by a tool. */
export const headerMark = (tool: 'strace' | 'lackey'): string => `#${HEADER} ${tool}\n`;
export const commandMark = (words: readonly string[]): string =>
  `#command ${JSON.stringify(words)}\n`;
export const hostMark = (text: string): string => `#host ${text}\n`;
export const fileMark = (path: string, size: number): string => `#file ${size} ${path}\n`;

/** The areas of a process as it is at this point. */
export function mapsMark(pid: number, when: 'exec' | 'exit', maps: string): string {
  const lines = maps.split('\n').filter(isMapsLine);
  return `#maps ${pid} ${when}\n${lines.map((line) => `#m ${line}\n`).join('')}`;
}
