/** A row that is measured on booted machines. It names its sources and can ask only for theirs. */
import type { Row, RowHead } from '../row.ts';
import type { Figures, SourceName } from './sources.ts';

export interface MachineRow extends Row<Figures> {
  readonly sources: readonly SourceName[];
}

export interface Measurement<Name extends SourceName> {
  readonly sources: readonly Name[];
  readonly value: (figures: Pick<Figures, Name>) => number;
  readonly floorOf: (figures: Pick<Figures, Name>) => number;
  /** Nanoseconds by default. */
  readonly unit?: RowHead['unit'];
  /** 'less' by default. */
  readonly better?: RowHead['better'];
}

export function rowOf<Name extends SourceName>(
  head: Omit<RowHead, 'unit' | 'better'>,
  measurement: Measurement<Name>,
): MachineRow {
  return { unit: 'ns', better: 'less', ...head, ...measurement };
}
