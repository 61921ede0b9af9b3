/**
 * Sorts the lines of a file as `LC_ALL=C sort` does and writes them to standard output: an external
 * merge sort in simulated memory, which may be smaller than the file. The file is mapped lazily;
 * sorted runs lie in private anonymous memory and go to swap as memory runs out.
 *
 * Prints nothing else on standard output.
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  O_RDONLY,
  PROT_READ,
  PROT_WRITE,
} from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

interface Options {
  readonly file: string;
  /** KiB that are sorted at once, 64 to 65536. */
  readonly run?: number;
}

/** Lines of a run, merged from user memory piece by piece. */
interface Run {
  /** Where its next unread byte lies, and where it ends. */
  at: number;
  readonly end: number;
  /** Bytes read ahead, and the next line in them. */
  buffer: Uint8Array;
  from: number;
}

const STDOUT = 1;
const NEWLINE = 10;
const READ_BYTES = 32 * 1024;
const WRITE_BYTES = 256 * 1024;

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The lines of some bytes, without their newlines. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let from = 0;
  while (from < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, from);
    const to = newline < 0 ? bytes.length : newline;
    lines.push(bytes.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

/** Sorts the bytes of whole lines; each line of the result ends with a newline. */
function sortLines(bytes: Uint8Array): Uint8Array {
  const lines = linesOf(bytes).sort(compareBytes);
  const sorted = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    sorted.set(line, at);
    at += line.length + 1;
    sorted[at - 1] = NEWLINE;
  }
  return sorted;
}

/** Cuts the file into runs at line ends and sorts each into memory of its own. */
async function makeRuns(proc: Proc, file: number, size: number, runBytes: number): Promise<Run[]> {
  const runs: Run[] = [];
  const chunk = new Uint8Array(runBytes);
  let begin = 0;
  while (begin < size) {
    let end = Math.min(size, begin + runBytes);
    // Up to the last line that ends in it; a line longer than a run makes a run of its own.
    if (end < size) {
      proc.mem.readInto(file + begin, chunk.subarray(0, end - begin));
      const newline = chunk.lastIndexOf(NEWLINE, end - begin - 1);
      if (newline >= 0) end = begin + newline + 1;
      else while (end < size && proc.mem.load8(file + end - 1) !== NEWLINE) end++;
    }
    const sorted = sortLines(proc.mem.read(file + begin, end - begin));
    const rw = PROT_READ | PROT_WRITE;
    const at = await proc.mmap(0, sorted.length, rw, MAP_PRIVATE | MAP_ANONYMOUS);
    proc.mem.write(at, sorted);
    runs.push({ at, end: at + sorted.length, buffer: new Uint8Array(), from: 0 });
    begin = end;
  }
  return runs;
}

/** The next line of a run with its newline, or null at its end. */
function nextLine(proc: Proc, run: Run): Uint8Array | null {
  let newline = run.buffer.indexOf(NEWLINE, run.from);
  while (newline < 0 && run.at < run.end) {
    const kept = run.buffer.length - run.from;
    const length = Math.min(Math.max(READ_BYTES, kept), run.end - run.at);
    const buffer = new Uint8Array(kept + length);
    buffer.set(run.buffer.subarray(run.from));
    proc.mem.readInto(run.at, buffer.subarray(kept));
    run.at += length;
    run.buffer = buffer;
    run.from = 0;
    newline = buffer.indexOf(NEWLINE, kept);
  }
  if (newline < 0) return null;
  const line = run.buffer.subarray(run.from, newline + 1);
  run.from = newline + 1;
  return line;
}

/** Collects output in user memory, from where write(2) takes it. */
class Output {
  readonly #proc: Proc;
  readonly #at: number;
  #bytes = new Uint8Array(WRITE_BYTES);
  #filled = 0;

  constructor(proc: Proc, at: number) {
    this.#proc = proc;
    this.#at = at;
  }

  /** Takes a line if there is room. */
  take(line: Uint8Array): boolean {
    if (this.#filled > 0 && this.#filled + line.length > WRITE_BYTES) return false;
    if (line.length > this.#bytes.length) this.#bytes = new Uint8Array(line.length);
    this.#bytes.set(line, this.#filled);
    this.#filled += line.length;
    return true;
  }

  async flush(): Promise<void> {
    for (let done = 0; done < this.#filled;) {
      const piece = this.#bytes.subarray(done, Math.min(this.#filled, done + WRITE_BYTES));
      this.#proc.mem.write(this.#at, piece);
      let written = 0;
      while (written < piece.length) {
        written += await this.#proc.write(STDOUT, this.#at + written, piece.length - written);
      }
      done += piece.length;
    }
    this.#filled = 0;
  }
}

interface Head {
  readonly run: Run;
  line: Uint8Array;
}

/** Moves the head at `index` down to its place in a binary heap ordered by line. */
function sink(heap: Head[], index: number): void {
  const moved = heap[index] as Head;
  let at = index;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    const right = heap[child + 1];
    let least = heap[child] as Head;
    if (right !== undefined && compareBytes(right.line, least.line) < 0) {
      least = right;
      child++;
    }
    if (compareBytes(moved.line, least.line) <= 0) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = moved;
}

async function merge(proc: Proc, runs: readonly Run[], output: Output): Promise<void> {
  const heap: Head[] = [];
  for (const run of runs) {
    const line = nextLine(proc, run);
    if (line !== null) heap.push({ run, line });
  }
  for (let i = heap.length >> 1; i-- > 0;) sink(heap, i);
  while (heap.length > 0) {
    const head = heap[0] as Head;
    if (!output.take(head.line)) {
      await output.flush();
      output.take(head.line);
    }
    const line = nextLine(proc, head.run);
    if (line !== null) head.line = line;
    else {
      const last = heap.pop() as Head;
      if (heap.length > 0) heap[0] = last;
    }
    if (heap.length > 0) sink(heap, 0);
  }
  await output.flush();
}

async function sortFile(proc: Proc, options: Options): Promise<number> {
  const { file: name, run = 1024 } = options;
  const fd = await proc.open(name, O_RDONLY);
  const { size } = await proc.fstat(fd);
  // An empty file cannot be mapped, and has nothing to sort.
  if (size === 0) return 0;
  const file = await proc.mmap(0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const runs = await makeRuns(proc, file, size, run * 1024);
  await proc.munmap(file, size);
  const rw = PROT_READ | PROT_WRITE;
  const buffer = await proc.mmap(0, WRITE_BYTES, rw, MAP_PRIVATE | MAP_ANONYMOUS);
  await merge(proc, runs, new Output(proc, buffer));
  return 0;
}

const sort: Program = defineProgram(sortFile);

export default sort;
