/** Numbers of the running machine that lessons check. */
import { cpuCounters, frameUsage } from '../../kernel/index.ts';
import type { Session } from '../core/session.ts';
import { kindOfEntry, visitLeaves } from '../read/entries.ts';
import type { EntryKind } from '../read/entries.ts';
import { processRows, spacesOf } from '../read/processes.ts';
import type { ProcessRow } from '../read/processes.ts';

function entriesOf(session: Session, wanted: EntryKind): number {
  let count = 0;
  for (const { root } of spacesOf(processRows(session.machine))) {
    visitLeaves(session.machine, root, (_pfn, _vpn, pages, entry) => {
      if (kindOfEntry(entry) === wanted) count += pages;
    });
  }
  return count;
}

function sumOf(session: Session, value: (row: ProcessRow) => number): number {
  return spacesOf(processRows(session.machine)).reduce((sum, row) => sum + value(row), 0);
}

function counter(session: Session, name: string): number {
  return cpuCounters(session.machine)[name] ?? 0;
}

function sharedFrames({ owners }: Session): number {
  owners.refresh();
  return owners.mappers.reduce((count, mappers) => count + (mappers > 1 ? 1 : 0), 0);
}

/** By the names that lesson files use; docs/write-a-lesson.md lists them. */
export const MEASURES: Readonly<Record<string, (session: Session) => number>> = {
  processes: ({ machine }) => processRows(machine).filter(({ space }) => space !== 0).length,
  resident: (session) => sumOf(session, ({ resident }) => resident),
  tables: (session) => sumOf(session, ({ tables }) => tables),
  zeroPages: (session) => entriesOf(session, 'zero page'),
  lazyPages: (session) => entriesOf(session, 'lazy'),
  cowPages: (session) => entriesOf(session, 'copy-on-write'),
  swappedPages: (session) => entriesOf(session, 'swapped'),
  sharedFrames,
  framesUsed: ({ machine }) => frameUsage(machine).used,
  faults: (session) => counter(session, 'faultsMinor') + counter(session, 'faultsMajor'),
  majorFaults: (session) => counter(session, 'faultsMajor'),
  shootdowns: (session) => counter(session, 'shootdowns'),
  shootdownTargets: (session) => counter(session, 'shootdownTargets'),
  swapOuts: (session) => counter(session, 'swapOuts'),
};
