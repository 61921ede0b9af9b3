/**
 * /proc/PID/pagemap as both sides can show it: a letter for each page.
 *
 *     -  nothing is mapped            .  mapped, and no page of its own
 *     P  a page of its own            p  one that others map too, or the zero page
 *     g  a guard                      s  in swap
 *
 * Which pages of a file are mapped is not compared: Linux maps those around the one touched, too.
 */
import { PAGE_SIZE } from '../../shared/limits.ts';
import type { MapsLine, Placed } from './maps-text.ts';

const DIGITS = 2;
// Of the highest byte.
const PRESENT = 0x80;
const SWAPPED = 0x40;
const FILE = 0x20;
const GUARD = 0x04;
const EXCLUSIVE = 0x01;

/** `digits`: two for each page of the window. */
export function pagemapLetters(digits: string, lines: readonly MapsLine[], window: Placed): string {
  let letters = '';
  for (let at = 0, line = 0; at < digits.length; at += DIGITS) {
    const address = window.start + (at / DIGITS) * PAGE_SIZE;
    while (line < lines.length && (lines[line] as MapsLine).end <= address) line++;
    const isMapped = line < lines.length && (lines[line] as MapsLine).start <= address;
    letters += isMapped ? letterOf(Number.parseInt(digits.slice(at, at + DIGITS), 16)) : '-';
  }
  return letters;
}

function letterOf(bits: number): string {
  if ((bits & GUARD) !== 0) return 'g';
  if ((bits & SWAPPED) !== 0) return 's';
  if ((bits & (PRESENT | FILE)) !== PRESENT) return '.';
  return (bits & EXCLUSIVE) !== 0 ? 'P' : 'p';
}
