/** The kernel log keeps numbers only: why a process ended is known to the process table. */
import { placeIn } from '../../wire/thrown.ts';
import type { ProcessTable } from '../processes/process-table.ts';

/** Adds the reason and the place in the program's source to the lines that report an end. */
export function withEndReasons(lines: readonly string[], table: ProcessTable): string[] {
  return lines.map((line) => {
    const pid = /: process (\d+) ended by /.exec(line)?.[1];
    const status = pid === undefined ? null : table.get(Number(pid))?.status;
    if (status === null || status === undefined || 'code' in status) return line;
    const place = placeIn(status.stack);
    const reason = status.reason === undefined ? '' : `: ${status.reason}`;
    return `${line}${reason}${place === undefined ? '' : ` (${place})`}`;
  });
}
