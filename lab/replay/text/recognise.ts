/** Which tool has written a text, by its first lines. */
import { LineSplitter } from './lines.ts';
import { openText } from './open-text.ts';
import type { TextSource } from './open-text.ts';

export type TraceFormat = 'strace' | 'lackey' | 'perf';

/** Says what is wrong with a file; a command ends with it as one line. */
export class TraceError extends Error {
  override readonly name: string = 'TraceError';
}

/** Characters of the beginning that decide. */
const BEGINNING = 65536;

/** A process and a time, or not, before a call, its end, a signal or an end. */
const WHO = /^(?:\[pid +\d+\] |\d+ +)? *(?:[\d.:]+ +)?/;
const WHAT = /(?:[a-z_][a-z0-9_]*\(|<\.\.\. \w+ resumed>|--- SIG|\+\+\+ )/;
const STRACE_LINE = new RegExp(WHO.source + WHAT.source);

const PATTERNS: readonly (readonly [TraceFormat, RegExp])[] = [
  ['strace', /^#faultline recording 1 strace$/],
  ['lackey', /^#faultline recording 1 lackey$/],
  ['lackey', /^==\d+== Lackey, an example Valgrind tool/],
  ['lackey', /^(?:I {2}| [LSM] )[0-9a-f]+,\d+$/],
  ['perf', /^.* page-faults(?::\w+)?: +[0-9a-f]+/],
  ['strace', STRACE_LINE],
];

/** The format; a TraceError for a text that is none, or is no text. */
export async function recognise(source: TextSource): Promise<TraceFormat> {
  let found: TraceFormat | null = null;
  const splitter = new LineSplitter((text, start, end) => {
    const line = text.slice(start, end);
    found ??= PATTERNS.find(([, pattern]) => pattern.test(line))?.[0] ?? null;
  });
  const decoder = new TextDecoder();
  const { pieces, cutOffReason } = await openText(source);
  for await (const bytes of pieces) {
    const piece = decoder.decode(bytes, { stream: true });
    if (found === null && piece.includes('\0')) {
      throw new TraceError(`'${source.name}' is no text: give what strace, lackey or perf prints`);
    }
    splitter.take(piece);
    if (found !== null || splitter.length > BEGINNING) break;
  }
  splitter.end();
  if (found !== null) return found;
  if (splitter.length === 0) throw new TraceError(`'${source.name}' is empty`);
  const cutOff = cutOffReason();
  if (cutOff !== null) throw new TraceError(`'${source.name}' cannot be decompressed: ${cutOff}`);
  throw new TraceError(
    `'${source.name}' has no line of strace, of valgrind's lackey or of perf's page-faults: ` +
      `see docs/replay.md on how to record`,
  );
}
