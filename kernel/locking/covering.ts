/** Which table decides about a range: shared by the protocols that lock tables. */
import { indexAt, pagesAt } from '../paging/cursor.ts';

/**
 * Whether to look for [start, end) below a table at `level`: one entry covers the range, and the
 * range does not fill the whole child, which its holder might want to unlink.
 */
export function descends(start: number, end: number, level: number): boolean {
  if (level === 0 || indexAt(start, level) !== indexAt(end - 1, level)) return false;
  return end - start < pagesAt(level);
}
