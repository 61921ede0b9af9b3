/**
 * The lines of a text that is read piece by piece: a file of a gigabyte is never in memory as a
 * whole, and neither is a line of one.
 */
import { openText } from './open-text.ts';
import type { TextSource } from './open-text.ts';

/** A longer line is skipped, and counted. In characters. */
const LINE_MAX: number = 2 ** 20;

/** Takes lines; [start, end) of `text` is one, without its end. They count from 1. */
export type LineSink = (text: string, start: number, end: number, line: number) => void;

/** What was read of a text. */
export interface TextRead {
  /** Lines, those that were too long included. */
  readonly lines: number;
  /** Characters. */
  readonly length: number;
  /** Lines that were longer than a mebibyte, and the first of them (0 for none). */
  readonly tooLong: number;
  readonly firstTooLong: number;
  /** Why it ends too early: a compressed file that was cut off. null: it does not. */
  readonly cutOff: string | null;
}

export interface ReadOptions {
  /** Ends the reading between two pieces, once it says so. */
  readonly isOver?: () => boolean;
  /** Told after each piece how many lines there were so far. */
  readonly onPiece?: (lines: number) => void;
}

/** Reads pieces of a text, and counts. */
export interface PieceReader {
  readonly lines: number;
  readonly length: number;
  readonly tooLong: number;
  readonly firstTooLong: number;
  take(bytes: Uint8Array): void;
  /** The text is over; its last line may lack its end. */
  end(): void;
}

/** Reads a text once from its beginning, and gives each line to `sink`. */
export function readLines(
  source: TextSource,
  sink: LineSink,
  options: ReadOptions = {},
): Promise<TextRead> {
  return readPieces(source, new LineReader(sink), options);
}

/** Reads a text once from its beginning. */
export async function readPieces(
  source: TextSource,
  reader: PieceReader,
  { isOver = () => false, onPiece = () => {} }: ReadOptions = {},
): Promise<TextRead> {
  const { pieces, cutOffReason } = await openText(source);
  for await (const bytes of pieces) {
    reader.take(bytes);
    onPiece(reader.lines);
    if (isOver()) break;
  }
  if (!isOver()) reader.end();
  const { lines, length, tooLong, firstTooLong } = reader;
  return { lines, length, tooLong, firstTooLong, cutOff: cutOffReason() };
}

const NEWLINE = 10;
/** Bytes of a line that is kept until it is whole. */
const KEPT_MAX = LINE_MAX;

/**
 * Decodes UTF-8 up to the last end of a line: no character crosses one, and engines decode a whole
 * text several times as fast as a part of one.
 */
class LineDecoder {
  readonly #decoder = new TextDecoder();
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  /** As much as is whole; the rest of `bytes` is kept. */
  decode(bytes: Uint8Array): string {
    const end = this.#keptBytes > KEPT_MAX ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    let whole = '';
    if (end > 0 && this.#keptBytes === 0) whole = this.#decoder.decode(bytes.subarray(0, end));
    else if (end > 0) {
      this.#keep(bytes.slice(0, end));
      whole = this.rest();
    }
    if (end < bytes.length) this.#keep(bytes.slice(end));
    return whole;
  }

  #keep(bytes: Uint8Array): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
  }

  /** What is kept. */
  rest(): string {
    if (this.#keptBytes === 0) return '';
    const bytes = new Uint8Array(this.#keptBytes);
    let at = 0;
    for (const piece of this.#kept) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#kept = [];
    this.#keptBytes = 0;
    return this.#decoder.decode(bytes);
  }
}

class LineReader extends LineDecoder implements PieceReader {
  readonly #splitter: LineSplitter;

  constructor(sink: LineSink) {
    super();
    this.#splitter = new LineSplitter(sink);
  }

  get lines(): number {
    return this.#splitter.lines;
  }

  get length(): number {
    return this.#splitter.length;
  }

  get tooLong(): number {
    return this.#splitter.tooLong;
  }

  get firstTooLong(): number {
    return this.#splitter.firstTooLong;
  }

  take(bytes: Uint8Array): void {
    this.#splitter.take(this.decode(bytes));
  }

  end(): void {
    this.#splitter.take(this.rest());
    this.#splitter.end();
  }
}

/** Splits pieces of text into lines. */
export class LineSplitter {
  lines = 0;
  length = 0;
  tooLong = 0;
  firstTooLong = 0;
  readonly #sink: LineSink;
  /** The beginning of a line whose end has not been seen. */
  #begun = '';
  /** The line that has begun is already too long. */
  #isSkipping = false;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Whether a line has begun. */
  get isInLine(): boolean {
    return this.#begun !== '' || this.#isSkipping;
  }

  take(piece: string): void {
    this.length += piece.length;
    let start = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
      if (this.#begun === '' && !this.#isSkipping) this.#give(piece, start, end);
      else this.#finish(piece.slice(start, end));
      start = end + 1;
    }
    this.#begin(piece.slice(start));
  }

  /** The text is over; its last line may lack its end. */
  end(): void {
    if (this.#begun !== '' || this.#isSkipping) this.#finish('');
  }

  #begin(rest: string): void {
    if (this.#isSkipping) return;
    this.#begun += rest;
    if (this.#begun.length <= LINE_MAX) return;
    this.#begun = '';
    this.#isSkipping = true;
  }

  #finish(rest: string): void {
    const line = this.#begun + rest;
    this.#begun = '';
    if (this.#isSkipping) {
      this.#isSkipping = false;
      this.#skip();
    } else this.#give(line, 0, line.length);
  }

  #give(text: string, start: number, end: number): void {
    if (end - start > LINE_MAX) {
      this.#skip();
      return;
    }
    this.lines++;
    this.#sink(text, start, end > start && text[end - 1] === '\r' ? end - 1 : end, this.lines);
  }

  #skip(): void {
    this.lines++;
    this.tooLong++;
    if (this.firstTooLong === 0) this.firstTooLong = this.lines;
  }
}
