/** A benchmark document as text for the terminal. */
import type { BenchDocument } from '../lab/bench/document.ts';
import { describeHost } from '../lab/bench/report/describe.ts';
import { changesTable, notesOf, tablesOf } from '../lab/bench/report/tables.ts';
import type { ReportTable } from '../lab/bench/report/tables.ts';
import { counted } from './counted.ts';
import { TERMS_LINE, formatTable } from './text-table.ts';

export function formatBench(document: BenchDocument): string {
  const { violations, changes, interrupted } = document;
  const verdict =
    violations.length === 0
      ? 'audit: clean'
      : `audit: ${counted(violations.length, 'violations')}\n${violations.join('\n')}`;
  const parts = [
    describeHost(document).join('\n'),
    ...tablesOf(document).map(formatReportTable),
    ...notesOf(document),
    verdict,
    interrupted ? 'interrupted: what had not been measured is not shown' : '',
    changes === null ? '' : formatReportTable(changesTable(changes)),
    TERMS_LINE,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function formatReportTable({ title, header, rows, alignment, notes }: ReportTable): string {
  return [title, formatTable(header, rows, alignment), ...notes].join('\n');
}
