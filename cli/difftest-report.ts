/** What `faultline difftest` tells: tables and code for people, a document for programs. */
import type { DifftestResult, Disagreement } from '../lab/difftest/difftest.ts';
import { toC, toTypeScript } from '../lab/difftest/print-code.ts';
import { counted } from './counted.ts';
import { TERMS_LINE, formatCount, formatTable, wrapText } from './text-table.ts';

const COLUMNS_MAX = 100;
/** As wide as the labels of the summary. */
const LABEL = ' '.repeat(15);

export function formatDifftest(result: DifftestResult): string {
  const { ops, sequences, wallMs, disagreements, coverage, missing } = result;
  const rate = wallMs > 0 ? formatCount((ops * 1000) / wallMs) : '-';
  const lines = [
    `calls          ${formatCount(ops)} in ${counted(sequences, 'sequences')}, ${rate}/s`,
    `disagreements  ${disagreements.length}`,
  ];
  // Sequences from a file do not try to reach everything.
  const isReplay = result.answers.length > 0;
  if (!isReplay) lines.push(...labelled('reached', describeReached(coverage)));
  if (result.unstable > 0)
    lines.push(`not repeated   ${counted(result.unstable, 'sequences')} differed once`);
  if (missing.length > 0) lines.push(...labelled('missing', missing.join(', ')));
  lines.push(TERMS_LINE);
  return isReplay ? lines.join('\n') : `${formatCoverage(coverage)}\n\n${lines.join('\n')}`;
}

type CoverageTable = DifftestResult['coverage'];

/** A row a call; outcomes with their counts, those never reached marked with a dash. */
function formatCoverage(coverage: CoverageTable): string {
  const rows = Object.entries(coverage).flatMap(([call, outcomes]) => {
    const counts = Object.entries(outcomes).map(
      ([outcome, count]) => `${outcome} ${count === 0 ? '-' : formatCount(count)}`,
    );
    return filled(counts, '  ', COLUMNS_MAX - LABEL.length).map((line, i) => [
      i === 0 ? call : '',
      line,
    ]);
  });
  return formatTable(['CALL', 'OUTCOMES'], rows, 'll');
}

/** As many items a line as fit in. */
function filled(items: readonly string[], gap: string, columns: number): string[] {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines[lines.length - 1];
    if (last === undefined || last.length + gap.length + item.length > columns) lines.push(item);
    else lines[lines.length - 1] = last + gap + item;
  }
  return lines;
}

/** A line that goes on below itself. */
function labelled(label: string, text: string): string[] {
  return wrapText(label.padEnd(LABEL.length) + text, COLUMNS_MAX, LABEL);
}

function describeReached(coverage: CoverageTable): string {
  const all = Object.entries(coverage).flatMap(([call, outcomes]) =>
    Object.entries(outcomes).map(([outcome, count]) => ({ name: `${call} ${outcome}`, count })),
  );
  const never = all.filter(({ count }) => count === 0).map(({ name }) => name);
  const reached = `${all.length - never.length} of ${all.length} outcomes`;
  return never.length === 0 ? reached : `${reached}; never: ${never.join(', ')}`;
}

/** The shortest sequence as code for both sides, and how they differ. */
export function formatDisagreement(found: Disagreement): string {
  const { seed, sequence, at, details } = found;
  const room = sequence.room === undefined ? '' : `, room for ${sequence.room} areas`;
  const rights = (sequence.privileged ? '' : ', without privileges') + room;
  const where = at < sequence.ops.length ? `after call ${at + 1}` : 'in the look at all pages';
  return [
    `disagreement (seed ${seed}${rights}): ${where}`,
    ...details.map((line) => `  ${line}`),
    '  on Linux:',
    ...indent(toC(sequence)),
    '  in Faultline:',
    ...indent(toTypeScript(sequence)),
    `  as JSON: ${JSON.stringify(sequence)}`,
  ].join('\n');
}

function indent(code: string): string[] {
  return code.split('\n').map((line) => `    ${line}`);
}

export function difftestDocument(
  result: DifftestResult,
  kernel: string,
): Readonly<Record<string, unknown>> {
  return { exitStatus: result.disagreements.length === 0 ? 0 : 1, kernel, ...result };
}
