/** Reads a text to its end, to a line, or until it is interrupted. */
import { readLines } from './lines.ts';
import type { LineSink, TextRead } from './lines.ts';
import type { TextSource } from './open-text.ts';

export interface UntilOptions {
  /** The last line that is given; Infinity for all. */
  readonly stopAt: number;
  /** Ends the reading early. */
  readonly signal: AbortSignal;
  /** Told after each piece: how many lines have been read. */
  readonly onProgress: (lines: number) => void;
}

export interface ReadUntil {
  readonly read: TextRead;
  /** The last line that was given, if others followed; null if it came to the end. */
  readonly stoppedAt: number | null;
}

export async function readUntil(
  source: TextSource,
  sink: LineSink,
  options: UntilOptions,
): Promise<ReadUntil> {
  const { stopAt, signal, onProgress } = options;
  let isOver = false;
  const limited: LineSink = (text, start, end, line) => {
    if (line <= stopAt) sink(text, start, end, line);
    else isOver = true;
  };
  const read = await readLines(source, stopAt === Infinity ? sink : limited, {
    isOver: () => isOver || signal.aborted,
    onPiece: onProgress,
  });
  if (isOver) return { read: { ...read, lines: stopAt }, stoppedAt: stopAt };
  return { read, stoppedAt: signal.aborted ? read.lines : null };
}
