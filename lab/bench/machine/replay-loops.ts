/** What replaying costs, by the line: a recording of calls and one of accesses, both made here. */
import { replay } from '../../replay/replay.ts';
import type { ReplayOptions } from '../../replay/replay.ts';
import type { ReplayReport } from '../../replay/replay-report.ts';
import type { TextSource } from '../../replay/text/open-text.ts';
import { REPLAY_ACCESSES, REPLAY_CYCLES } from './sizes.ts';

/** Nanoseconds a line, with both readings of the file. */
export interface ReplayFigures {
  readonly call: number;
  readonly access: number;
}

const OPTIONS: ReplayOptions = {
  ...{ memoryBytes: 2 ** 26, protocol: 'rcu', checked: false, native: false, touch: false },
  ...{ maps: false, checkMaps: null, stopAt: Infinity, sizeOf: () => null },
  now: () => performance.now(),
  signal: new AbortController().signal,
  onProgress: () => {},
};

const PIECE_BYTES = 2 ** 18;
const TOP = 0x7f00_0000_0000;
const CODE = 0x40_1000;
const DATA = 0x1f_fe00_0000;

/** A program's day: maps, protects, advises and unmaps, and moves its break. Six calls a cycle. */
function calls(): string {
  const lines: string[] = ['9 brk(NULL) = 0x555555560000\n'];
  for (let i = 0; i < REPLAY_CYCLES; i++) {
    const at = `0x${(TOP - ((i % 100) + 1) * 0x20000).toString(16)}`;
    const end = `0x${(0x555555560000 + (i % 16) * 0x21000).toString(16)}`;
    lines.push(
      `9 mmap(NULL, 65536, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = ${at}\n`,
      `9 mprotect(${at}, 16384, PROT_READ) = 0\n`,
      `9 read(0x3, 0x7ffd5f692f98, 0x340) = 0x340\n`,
      `9 madvise(${at}, 65536, MADV_DONTNEED) = 0\n`,
      `9 munmap(${at}, 65536) = 0\n`,
      `9 brk(${end}) = ${end}\n`,
    );
  }
  return lines.join('');
}

/** Of ten accesses eight are instructions in order, and two are data on 64 pages. */
function accesses(): string {
  const lines: string[] = [];
  for (let i = 0; i < REPLAY_ACCESSES; i++) {
    const code = (CODE + ((i * 4) % 0x8000)).toString(16).padStart(8, '0');
    const data = (DATA + ((i * 4104) % 0x40000)).toString(16);
    if (i % 5 === 4) lines.push(` ${i % 2 === 0 ? 'L' : 'S'} ${data},8\n`);
    else lines.push(`I  ${code},4\n`);
  }
  return lines.join('');
}

function sourceOf(text: string): TextSource {
  const bytes = new TextEncoder().encode(text);
  return {
    name: 'bench',
    async *open() {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        yield bytes.subarray(at, at + PIECE_BYTES);
      }
    },
  };
}

async function nanosecondsEach(source: TextSource): Promise<number> {
  const report: ReplayReport = await replay(source, OPTIONS);
  if (report.equal !== report.compared || report.violations.length > 0) {
    throw new Error('the bench of replay: a recording came out otherwise than recorded');
  }
  return (report.milliseconds * 1e6) / report.lines;
}

let sources: { readonly calls: TextSource; readonly accesses: TextSource } | null = null;

export async function replayFigures(): Promise<ReplayFigures> {
  sources ??= { calls: sourceOf(calls()), accesses: sourceOf(accesses()) };
  return {
    call: await nanosecondsEach(sources.calls),
    access: await nanosecondsEach(sources.accesses),
  };
}
