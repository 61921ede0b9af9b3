/**
 * The first reading of a recording: what has to be known before its first call is carried out. Who
 * is whose child (a child's lines may come before its parent's clone has returned), which addresses
 * a program uses in its whole life (a relocation must not change later), how large files are.
 */
import { relocate } from '../../../shared/relocation.ts';
import type { Relocation } from '../../../shared/relocation.ts';
import { USER_SPACE_END } from '../../../shared/limits.ts';
import type { MapsLine } from '../../difftest/maps-text.ts';
import { readLines } from '../text/lines.ts';
import { TraceError } from '../text/recognise.ts';
import type { TextSource } from '../text/open-text.ts';
import { rangesOfCall } from './call-ranges.ts';
import { parseMark } from './recording-marks.ts';
import type { Mark } from './recording-marks.ts';
import { Ranges } from './ranges.ts';
import type { CallText } from './call-text.ts';
import { StraceReader, fieldIn, supersededBy } from './strace-reader.ts';
import type { StraceSink } from './strace-reader.ts';
import { WANTED, isBirth } from './wanted-calls.ts';

/** x86-64 gives programs 47 bits. */
const ADDRESS_END: number = 2 ** 47;
/** A recording may make so many processes, one after the other. */
const BIRTHS_MAX: number = 2 ** 20;
/** Files whose size is kept. */
const FILES_MAX: number = 2 ** 16;

/** One program's addresses, from its execve to the next: its children by fork have the same. */
class Image {
  readonly ranges = new Ranges();
  #break = NaN;
  #sameAs: Image | null = null;
  #relocation: Relocation | null = null;

  root(): Image {
    return this.#sameAs === null ? this : this.#sameAs.root();
  }

  /** It turns out to be a part of `other`. */
  join(other: Image): void {
    const root = other.root();
    if (root === this) return;
    root.ranges.addAll(this.ranges);
    this.#sameAs = root;
  }

  /** The heap is all that lies between its breaks. */
  useBreak(address: number): void {
    if (Number.isNaN(this.#break)) this.#break = address;
    use(this, Math.min(this.#break, address) - 1, Math.max(this.#break, address) + 1);
  }

  relocation(): Relocation {
    this.#relocation ??= relocate(this.ranges.list());
    return this.#relocation;
  }
}

/** A clone, fork or vfork that returned a process. */
export interface Birth {
  readonly parent: number;
  readonly beganAt: number;
  readonly endedAt: number;
}

export class Survey implements StraceSink {
  /** By the child's number, in the order of their lines. */
  readonly births: Map<number, Birth[]> = new Map();
  /** Largest known size in bytes by path: as recorded, or as far as it is mapped. */
  readonly files: Map<string, number> = new Map();
  readonly marks: { command: string | null; host: string | null } = { command: null, host: null };
  /** By the line in which they begin. */
  readonly #images = new Map<number, Image>();
  readonly #imageOf = new Map<number, Image>();
  readonly #source: string;
  #births = 0;
  /** Programs of processes that no call has made yet. */
  readonly #strays = new Map<number, Image>();
  #areasOf: Image | null = null;

  constructor(source: string) {
    this.#source = source;
  }

  /** Where the addresses of the program go that begins in this line; null if none does. */
  relocationAt(line: number): Relocation | null {
    const image = this.#images.get(line)?.root();
    if (image === undefined) return null;
    try {
      return image.relocation();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const what = `the program that begins in line ${line} maps more than fits`;
      throw new TraceError(`'${this.#source}': ${what}: at most ${USER_SPACE_END} bytes in all`);
    }
  }

  call(pid: number, name: string, call: CallText, beganAt: number, line: number): void {
    const image = this.#image(pid, beganAt);
    if (isBirth(name)) this.#birth(pid, image, call, beganAt, line);
    else if (name === 'execve' || name === 'execveat') {
      if (call.result === 0) this.#begin(pid, line);
    } else if (name === 'brk') image.root().useBreak(call.result);
    else {
      rangesOfCall(name, call, (start, end) => use(image, start, end));
      this.#sizes(name, call);
    }
  }

  begun(pid: number, _name: string, _call: CallText, line: number): void {
    this.#image(pid, line);
  }

  signal(pid: number, text: string, line: number): void {
    const address = fieldIn(text, 'si_addr');
    if (text.startsWith('SIGSEGV') || text.startsWith('SIGBUS')) {
      use(this.#image(pid, line), address, address + 1);
    }
  }

  end(pid: number, text: string, line: number): void {
    const heir = supersededBy(text);
    const image = heir === null ? undefined : this.#imageOf.get(heir);
    if (heir === null || image === undefined) {
      this.#imageOf.delete(pid);
      this.#strays.delete(pid);
    } else {
      this.#image(pid, line);
      this.#imageOf.set(pid, image);
      this.#imageOf.delete(heir);
    }
  }

  mark(text: string, line: number): void {
    const mark = parseMark(text);
    if (mark.kind === 'maps') this.#areasOf = this.#image(mark.pid, line);
    else if (mark.kind === 'area') this.#area(mark.area);
    else this.#tell(mark);
  }

  #tell(mark: Mark): void {
    if (mark.kind === 'command') this.marks.command = mark.text;
    if (mark.kind === 'host') this.marks.host = mark.text;
    if (mark.kind === 'file') this.#size(mark.path, mark.size);
  }

  #area({ start, end, name }: MapsLine): void {
    if (this.#areasOf !== null && name !== '[vsyscall]') use(this.#areasOf, start, end);
  }

  /** The program that a process runs; the first line of a process begins one. */
  #image(pid: number, line: number): Image {
    const known = this.#imageOf.get(pid);
    if (known !== undefined) return known;
    const image = this.#begin(pid, line);
    this.#strays.set(pid, image);
    return image;
  }

  #begin(pid: number, line: number): Image {
    const image = new Image();
    this.#images.set(line, image);
    this.#imageOf.set(pid, image);
    return image;
  }

  #birth(parent: number, image: Image, call: CallText, beganAt: number, endedAt: number): void {
    const child = call.result;
    if (!(child > 0)) return;
    if (++this.#births > BIRTHS_MAX) {
      const what = `more than ${BIRTHS_MAX} processes`;
      throw new TraceError(`'${this.#source}': line ${endedAt}: ${what}: record a part`);
    }
    const birth = { parent, beganAt, endedAt };
    const before = this.births.get(child);
    if (before === undefined) this.births.set(child, [birth]);
    else before.push(birth);
    // What the child has run before this line is the parent's program, until it called execve.
    const stray = this.#strays.get(child);
    this.#strays.delete(child);
    if (stray === undefined) this.#imageOf.set(child, image);
    else stray.join(image);
  }

  #sizes(name: string, call: CallText): void {
    if (name === 'mmap') {
      const path = call.path(4);
      const length = call.number(1);
      if (path !== '' && call.errno === '') this.#size(path, call.number(5) + length);
    } else if (name === 'fstat' || name === 'newfstatat') {
      const size = fieldIn(call.argument(name === 'fstat' ? 1 : 2), 'st_size');
      const path = call.path(0);
      if (path !== '' && size > 0) this.#size(path, size);
    }
  }

  #size(path: string, size: number): void {
    const before = this.files.get(path);
    if (before === undefined && this.files.size >= FILES_MAX) return;
    if (size > (before ?? -1)) this.files.set(path, size);
  }
}

function use(image: Image, start: number, end: number): void {
  if (start >= 0 && end > start && end <= ADDRESS_END && end - start <= USER_SPACE_END) {
    image.root().ranges.add(start, end);
  }
}

/** Reads a recording for the first time. */
export async function survey(source: TextSource): Promise<Survey> {
  const result = new Survey(source.name);
  await readLines(source, new StraceReader(result, WANTED).read);
  return result;
}
