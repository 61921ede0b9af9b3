/** What the user asked of `faultline bench`'s own table. */
import { readFileSync } from 'node:fs';
import type { FloorDocument, FloorOptions } from '../lab/bench/floors/floor-results.ts';
import { MISSING_ROWS, ROWS } from '../lab/bench/floors/rows.ts';
import type { OptionTable } from './options.ts';
import { parseOptions } from './options.ts';
import { parseInteger, suggest, UsageError } from './usage-error.ts';

const repeatDefault = 7;
const repeatMax = 10_000;

export const floorOptions: OptionTable = {
  row: { value: 'LIST', help: 'rows of the table (all)' },
  repeat: { value: 'N', help: `repetitions (${repeatDefault})` },
  compare: { value: 'FILE', help: 'say what changed since an earlier --json, beyond the noise' },
  'no-pin': { help: 'do not pin threads to host CPUs with taskset' },
  json: { help: 'print one JSON document on stdout, all else on stderr' },
};

export interface FloorRequest {
  readonly options: FloorOptions;
  readonly compare: FloorDocument | null;
  readonly json: boolean;
}

/** Throws UsageError. */
export function parseFloors(args: readonly string[]): FloorRequest {
  const table = { ...floorOptions, suite: { value: 'floors', help: '' } };
  const parsed = parseOptions(args, table, 'faultline bench');
  const [extra] = [...parsed.positionals, ...(parsed.rest ?? [])];
  if (extra !== undefined) {
    throw new UsageError(`bench takes options only, not '${extra}'; see faultline bench --help`);
  }
  const repeat = parsed.values.get('repeat')?.at(-1);
  const compare = parsed.values.get('compare')?.at(-1);
  return {
    options: {
      rows: (parsed.values.get('row') ?? []).flatMap((value) => value.split(',').map(parseRow)),
      repeat: repeat === undefined ? repeatDefault : parseInteger('--repeat', repeat, 1, repeatMax),
      pin: !parsed.switches.has('no-pin'),
    },
    compare: compare === undefined ? null : readDocument(compare),
    json: parsed.switches.has('json'),
  };
}

function parseRow(text: string): string {
  const known = [...ROWS, ...MISSING_ROWS].map(({ name }) => name);
  const name = text.trim();
  if (known.includes(name)) return name;
  const hint = suggest(name, known) || '; see faultline bench --list';
  throw new UsageError(`no row is called '${name}'${hint}`);
}

function readDocument(path: string): FloorDocument {
  let document: Partial<FloorDocument> | null;
  try {
    document = JSON.parse(readFileSync(path, 'utf8')) as Partial<FloorDocument> | null;
  } catch (error) {
    throw new UsageError(`--compare ${path}: ${(error as Error).message}`);
  }
  if (document?.kind === 'floors' && Array.isArray(document.rows)) return document as FloorDocument;
  throw new UsageError(`--compare ${path}: is no document of faultline bench --json`);
}
