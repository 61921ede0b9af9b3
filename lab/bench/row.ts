/**
 * A row, the unit of every report: a figure, the floor that it is divided by, and the ratio to
 * reach. Both come from the figures of one repetition, and are typed: a row that asks for a figure
 * that nobody measures does not compile.
 */
import type { ProtocolSuite } from './protocols/benchmarks.ts';
import type { ProtocolRun } from './protocols/protocol-run.ts';
import { spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';

export type SuiteName = 'floors' | ProtocolSuite | 'engine';
export type Unit = 'ns' | 'us' | 'ms' | '/us' | 'MiB' | '%' | 'KiB';

export interface RowHead {
  readonly suite: SuiteName;
  readonly name: string;
  readonly what: string;
  /** What the figure is divided by. */
  readonly floor: string;
  readonly unit: Unit;
  /** The ratio to reach: at most this, or at least; null where there is none. */
  readonly target: number | null;
  readonly better: 'less' | 'more';
}

/** `Figures` is what a repetition measures. */
export interface Row<Figures> extends RowHead {
  readonly value: (figures: Figures) => number;
  readonly floorOf: (figures: Figures) => number;
}

export interface RowResult extends RowHead {
  /** Over all repetitions, in the row's unit. */
  readonly value: Spread;
  readonly floorValue: Spread;
  /** Of each repetition's figure and floor. */
  readonly ratio: Spread;
  /** Also where there is no ratio to reach. */
  readonly isReached: boolean;
  /** What the row ran and counted, if it is one of a protocol's. */
  readonly run: ProtocolRun | null;
}

/** A row of a protocol. */
export type ProtocolRow = RowResult & { readonly run: ProtocolRun };

export function protocolRows(rows: readonly RowResult[]): ProtocolRow[] {
  return rows.filter((row): row is ProtocolRow => row.run !== null);
}

/** Rows of the same title, the titles in the order of their first rows. */
export function groupRows(
  rows: readonly ProtocolRow[],
  titleOf: (row: ProtocolRow) => string,
): Map<string, ProtocolRow[]> {
  const groups = new Map<string, ProtocolRow[]>();
  for (const row of rows) {
    const title = titleOf(row);
    const group = groups.get(title);
    if (group === undefined) groups.set(title, [row]);
    else group.push(row);
  }
  return groups;
}

export function resultOf<Figures>(
  { value, floorOf, ...head }: Row<Figures>,
  repetitions: readonly Figures[],
  run: ProtocolRun | null = null,
): RowResult {
  const { target, better } = head;
  const ratio = spreadOf(repetitions.map((figures) => value(figures) / floorOf(figures)));
  const { median } = ratio;
  return {
    ...head,
    value: spreadOf(repetitions.map(value)),
    floorValue: spreadOf(repetitions.map(floorOf)),
    ratio,
    isReached: target === null || (better === 'less' ? median <= target : median >= target),
    run,
  };
}

/** Unique among the rows of a document. */
export function keyOf({ name, run }: Pick<RowResult, 'name' | 'run'>): string {
  // Documents of earlier versions have no such field.
  if (!run) return name;
  const contention = run.contention === 'none' ? '' : ` ${run.contention}`;
  return `${name}${contention} ${run.protocol} ${run.cpus}`;
}
