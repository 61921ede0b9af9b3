/** Collects what a replay finds; all is counted, and only the first of each kind is kept. */
import type { Difference, ReplayReport } from './replay-report.ts';
import type { TextRead } from './text/lines.ts';

type FoundFields = Pick<
  ReplayReport,
  | 'compared'
  | 'equal'
  | 'choices'
  | 'choicesEqual'
  | 'mapsCompared'
  | 'mapsEqual'
  | 'differences'
  | 'differencesTotal'
  | 'notReplayed'
>;

/** Differences that are kept. */
const DIFFERENCES_MAX = 1000;
const REASONS_MAX = 1000;

export class Findings {
  compared = 0;
  equal = 0;
  choices = 0;
  choicesEqual = 0;
  mapsCompared = 0;
  mapsEqual = 0;
  differencesTotal = 0;
  readonly differences: Difference[] = [];
  readonly #notReplayed = new Map<string, { count: number; firstLine: number }>();

  differ(difference: Difference): void {
    this.differencesTotal++;
    if (this.differences.length < DIFFERENCES_MAX) this.differences.push(difference);
  }

  skip(reason: string, line: number, count = 1): void {
    if (count === 0) return;
    const known = this.#notReplayed.get(reason);
    if (known !== undefined) known.count += count;
    else if (this.#notReplayed.size < REASONS_MAX) {
      this.#notReplayed.set(reason, { count, firstLine: line });
    }
  }

  /** Lines that were too long, and a file that was cut off. */
  skipUnread(read: TextRead): void {
    this.skip('lines of more than a mebibyte', read.firstTooLong, read.tooLong);
    if (read.cutOff !== null) this.skip(`the file is cut off (${read.cutOff})`, read.lines);
  }

  /** The report's fields. */
  fields(): FoundFields {
    const { compared, equal, choices, choicesEqual, mapsCompared, mapsEqual } = this;
    const { differences, differencesTotal } = this;
    return {
      ...{ compared, equal, choices, choicesEqual, mapsCompared, mapsEqual },
      ...{ differences, differencesTotal },
      notReplayed: [...this.#notReplayed].map(([reason, found]) => ({ reason, ...found })),
    };
  }
}
