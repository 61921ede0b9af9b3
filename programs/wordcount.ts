/**
 * Counts the words of a file as `LC_ALL=C wc -w` does, with several processes. Each child maps the
 * file privately and lazily, so that only its own slice is ever read from the host, and adds what
 * it found into a page that it shares with its parent. Prints `COUNT FILE`.
 *
 * A word belongs to the slice in which its run of non-space bytes begins. A child therefore skips
 * a run that was under way at its start, and may read past its end to decide about its last run.
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  O_RDONLY,
  PROT_READ,
  PROT_WRITE,
} from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

interface Options {
  readonly file: string;
  /** 1 to 64. */
  readonly processes?: number;
  /**
   * Which runs of non-space bytes are words: all of them, as POSIX says, or only those with a
   * printable byte, as GNU wc 9.1 has it.
   */
  readonly words?: 'any' | 'printable';
}

/** What a child is told; descriptor and shared page are inherited. */
interface Slice {
  readonly fd: number;
  readonly size: number;
  readonly begin: number;
  readonly end: number;
  readonly words: 'any' | 'printable';
  /** Address of the sum over all children, and of this child's own count. */
  readonly total: number;
  readonly own: number;
}

const PAGE = 4096;
const CHUNK = 64 * 1024;

// What a byte is, and where the scan stands in the present run of non-space bytes.
const SPACE = 0;
const OTHER = 1;
const PRINTABLE = 2;
const BETWEEN = 0;
const UNDECIDED = 1;
const COUNTED = 2;

/** Kind of each byte in the C locale; under 'any' every byte that is no space makes a word. */
function classify(words: 'any' | 'printable'): Uint8Array {
  const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);
  const isPrintable = (byte: number): boolean => words === 'any' || (byte > 32 && byte < 127);
  const kind = (byte: number): number =>
    isSpace(byte) ? SPACE : isPrintable(byte) ? PRINTABLE : OTHER;
  return Uint8Array.from({ length: 256 }, (_, byte) => kind(byte));
}

async function countSlice(proc: Proc, slice: Slice): Promise<number> {
  const { mem } = proc;
  const file = await proc.mmap(0, slice.size, PROT_READ, MAP_PRIVATE, slice.fd, 0);
  const kinds = classify(slice.words);
  const chunk = new Uint8Array(CHUNK);
  const startsInside = slice.begin > 0 && kinds[mem.load8(file + slice.begin - 1)] !== SPACE;

  let count = 0;
  let state = startsInside ? COUNTED : BETWEEN;
  const step = (kind: number | undefined): void => {
    if (kind === SPACE) state = BETWEEN;
    else if (state !== COUNTED) state = kind === PRINTABLE ? COUNTED : UNDECIDED;
    else return;
    if (state === COUNTED) count++;
  };
  for (let position = slice.begin; position < slice.end; position += CHUNK) {
    const part = chunk.subarray(0, Math.min(CHUNK, slice.end - position));
    mem.readInto(file + position, part);
    for (const byte of part) step(kinds[byte]);
  }
  for (let tail = slice.end; state === UNDECIDED && tail < slice.size; tail++) {
    step(kinds[mem.load8(file + tail)]);
  }

  mem.atomicStore32(slice.own, count);
  mem.atomicAdd32(slice.total, count);
  return 0;
}

async function countFile(proc: Proc, options: Options): Promise<number> {
  const { mem } = proc;
  const { file, processes = 4, words = 'any' } = options;
  const fd = await proc.open(file, O_RDONLY);
  const { size } = await proc.fstat(fd);
  // Word 0 of the shared page is the total; word 1 + i belongs to child i.
  const counts = await proc.mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);

  // An empty file cannot be mapped, and has nothing to count.
  const children = size === 0 ? 0 : processes;
  const pids: number[] = [];
  for (let i = 0; i < children; i++) {
    const begin = Math.floor((size * i) / children);
    const end = Math.floor((size * (i + 1)) / children);
    const slice: Slice = { fd, size, begin, end, words, total: counts, own: counts + 4 * (i + 1) };
    const name = `wordcount/${i + 1}`;
    pids.push(await proc.spawn(import.meta.url, { args: [slice], inherit: true, name }));
  }
  let failed = 0;
  for (const pid of pids) {
    const { status } = await proc.wait(pid);
    if (status.code === 0) continue;
    proc.print(`wordcount: child ${pid} failed: ${JSON.stringify(status)}`);
    failed++;
  }
  if (failed > 0) return 1;

  let sum = 0;
  for (let i = 0; i < children; i++) sum += mem.load32(counts + 4 * (i + 1));
  const total = mem.load32(counts);
  if (sum !== total) {
    proc.print(`wordcount: the children counted ${sum}, but the shared total is ${total}`);
    return 1;
  }
  proc.print(`${total} ${file}`);
  return 0;
}

const wordcount: Program = defineProgram((proc, job: Options | Slice) =>
  'fd' in job ? countSlice(proc, job) : countFile(proc, job),
);

export default wordcount;
