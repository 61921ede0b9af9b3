/** The document of the table, and what a second one says about it. */
import type { HostFacts } from '../host.ts';
import type { Spread } from '../statistics.ts';
import type { Row } from './rows.ts';

export interface RowResult extends Pick<
  Row,
  'name' | 'what' | 'floor' | 'unit' | 'target' | 'better'
> {
  /** Over the repetitions, in the row's unit. */
  readonly value: Spread;
  readonly floorValue: Spread;
  /** Of each repetition's figure and floor. */
  readonly ratio: Spread;
  /** Also where there is no ratio to reach. */
  readonly isReached: boolean;
}

export interface FloorDocument {
  readonly kind: 'floors';
  readonly host: HostFacts;
  readonly options: FloorOptions;
  /** Whether every program's thread was kept on one host CPU. */
  readonly pinned: boolean;
  readonly rows: readonly RowResult[];
  /** Rows that were not measured, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
  /** What the machines' audits found; anything here makes the figures worthless. */
  readonly violations: readonly string[];
  readonly wallMs: number;
}

export interface FloorOptions {
  /** Names of rows; empty for all. */
  readonly rows: readonly string[];
  readonly repeat: number;
  readonly pin: boolean;
}

/** How a row's ratio differs between two documents. */
export interface Change {
  readonly name: string;
  readonly before: Spread;
  readonly after: Spread;
  /** after / before of the medians. */
  readonly factor: number;
  /** Better or worse only where the two ranges of repetitions do not touch. */
  readonly verdict: 'better' | 'worse' | 'noise';
}

/** The rows that both documents have. */
export function compareDocuments(before: FloorDocument, after: FloorDocument): Change[] {
  return after.rows.flatMap((row) => {
    const old = before.rows.find(({ name }) => name === row.name);
    return old === undefined ? [] : [changeOf(old, row)];
  });
}

function changeOf(old: RowResult, row: RowResult): Change {
  const [before, after] = [old.ratio, row.ratio];
  const isLess = after.max < before.min;
  const isMore = after.min > before.max;
  const verdict =
    !isLess && !isMore ? 'noise' : isLess === (row.better === 'less') ? 'better' : 'worse';
  return { name: row.name, before, after, factor: after.median / before.median, verdict };
}
