/** Where the two sides' outcomes differ. */
import type { Outcome, State } from './sequence.ts';

/** The first call after which they differ, or -1. */
export function firstDifference(host: readonly Outcome[], machine: readonly Outcome[]): number {
  for (let i = 0; i < Math.max(host.length, machine.length); i++) {
    const [a, b] = [host[i], machine[i]];
    if (a?.result !== b?.result || a?.digest !== b?.digest || !isSameState(a, b)) return i;
  }
  return -1;
}

function isSameState(a: Outcome | undefined, b: Outcome | undefined): boolean {
  return JSON.stringify(a?.state) === JSON.stringify(b?.state);
}

/** Differences of two verbose outcomes. */
export function explain(host: Outcome | undefined, machine: Outcome | undefined): string[] {
  const lines: string[] = [];
  const add = (what: string, a: string | undefined, b: string | undefined): void => {
    if (a !== b) lines.push(`${what}: Linux ${a ?? '(nothing)'}, Faultline ${b ?? '(nothing)'}`);
  };
  add('result', host?.result, machine?.result);
  const [a, b] = [host?.state, machine?.state];
  if (!a || !b) return lines;
  add('maps', listed(a.maps), listed(b.maps));
  for (const [i, letters] of a.pagemap.entries()) add('pagemap', letters, b.pagemap[i]);
  for (let i = 0; i < Math.max(a.smaps.length, b.smaps.length); i++) {
    add('smaps', a.smaps[i], b.smaps[i]);
  }
  for (const [i, letters] of a.resident.entries()) add('mincore', letters, b.resident[i]);
  for (const page of new Set([...Object.keys(a.pages), ...Object.keys(b.pages)])) {
    add(`page ${page}`, pageText(a, page), pageText(b, page));
  }
  return lines;
}

function listed(lines: readonly string[]): string {
  return `[${lines.join(' | ')}]`;
}

function pageText(state: State, page: string): string {
  return state.pages[page] ?? 'not resident';
}
