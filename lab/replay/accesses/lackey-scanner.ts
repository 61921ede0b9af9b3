/**
 * Reads lackey's accesses from bytes, because a string for each line would cost more than the
 * access itself; a line that is anything else is read as text.
 */
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { LineSplitter } from '../text/lines.ts';
import type { LineSink, PieceReader } from '../text/lines.ts';
import { ADDRESS_END, HEX, kindOfBytes, lackeyLines } from './access-lines.ts';
import type { AccessSink, OtherSink } from './access-lines.ts';

const NEWLINE = 10;
const COMMA = 44;
const ZERO = 48;

export class LackeyScanner implements PieceReader {
  readonly #onAccess: AccessSink;
  readonly #slow: LineSplitter;
  readonly #decoder = new TextDecoder();
  /** The line that is given next, before those of the slow way. */
  #fastLines = 0;
  #fastLength = 0;

  constructor(onAccess: AccessSink, onOther: OtherSink) {
    this.#onAccess = onAccess;
    const read = lackeyLines(onAccess, onOther);
    const sink: LineSink = (text, start, end, line) =>
      read(text, start, end, line + this.#fastLines);
    this.#slow = new LineSplitter(sink);
  }

  get lines(): number {
    return this.#slow.lines + this.#fastLines;
  }

  get length(): number {
    return this.#slow.length + this.#fastLength;
  }

  get tooLong(): number {
    return this.#slow.tooLong;
  }

  get firstTooLong(): number {
    return this.#slow.firstTooLong;
  }

  take(bytes: Uint8Array): void {
    // A line that began in the piece before is read as text.
    let at = 0;
    if (this.#slow.isInLine) {
      at = bytes.indexOf(NEWLINE) + 1;
      this.#slow.take(this.#decoder.decode(bytes.subarray(0, at === 0 ? bytes.length : at)));
      if (at === 0) return;
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    while (at < end) {
      const next = this.#scan(bytes, at, end);
      if (next === end) break;
      // Something else: up to the end of its line.
      at = bytes.indexOf(NEWLINE, next) + 1;
      this.#slow.take(this.#decoder.decode(bytes.subarray(next, at)));
    }
    if (end < bytes.length) this.#slow.take(this.#decoder.decode(bytes.subarray(end)));
  }

  end(): void {
    this.#slow.end();
  }

  /** Lines from `start` on; where the first one begins that is no access. All end before `end`. */
  #scan(bytes: Uint8Array, start: number, end: number): number {
    const onAccess = this.#onAccess;
    let line = this.lines;
    let at = start;
    while (at < end) {
      const kind = kindOfBytes(bytes[at] as number, bytes[at + 1] as number);
      let address = 0;
      let next = at + 3;
      let digit = HEX[bytes[next] as number] as number;
      for (; digit < 16; digit = HEX[bytes[next] as number] as number) {
        address = address * 16 + digit;
        next++;
      }
      if (kind < 0 || next === at + 3 || bytes[next] !== COMMA || address >= ADDRESS_END) break;
      let size = 0;
      next++;
      let code = bytes[next] as number;
      for (; code >= ZERO && code <= ZERO + 9; code = bytes[next] as number) {
        size = size * 10 + code - ZERO;
        next++;
      }
      if (code !== NEWLINE || size === 0) break;
      const vpn = Math.floor(address / PAGE_SIZE);
      line++;
      onAccess(0, kind, vpn, address - vpn * PAGE_SIZE, size, line);
      at = next + 1;
    }
    this.#fastLines += line - this.lines;
    this.#fastLength += at - start;
    return at;
  }
}
