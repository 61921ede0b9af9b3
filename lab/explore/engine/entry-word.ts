/** A page's entry in the words of a machine, read without an access that the explorer sees. */
import * as SPACE from '../../../shared/layout/space.ts';
import { TABLE_SHIFT } from '../../../shared/limits.ts';
import * as pte from '../../../shared/pte.ts';

/** The word of the entry that decides about a page, as the tables say now. */
export function entryWordOf(
  words: Int32Array,
  frameBase: number,
  space: number,
  vpn: number,
): number {
  let table = words[space + SPACE.ROOT] as number;
  for (let level = 2; ; level--) {
    const index = (vpn >>> (level * TABLE_SHIFT)) & 1023;
    const at = frameBase + (table << TABLE_SHIFT) + index;
    const entry = words[at] as number;
    if (level === 0 || !pte.isTable(entry)) return at;
    table = pte.pfnOf(entry);
  }
}
