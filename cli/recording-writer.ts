/**
 * Writes what a tracer prints as a recording: adds the areas of a process where strace holds it
 * (after execve, before its end), and the sizes of the files that were mapped.
 */
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { createGzip } from 'node:zlib';
import type { Gzip } from 'node:zlib';
import {
  commandMark,
  fileMark,
  headerMark,
  hostMark,
  mapsMark,
} from '../lab/replay/strace/recording-marks.ts';

const EXECUTED = /^(\d+) +[\d.]+ (?:execve(?:at)?\(.*|<\.\.\. execve(?:at)? resumed>.*)\) += 0$/;
const ENDING = /^(\d+) +[\d.]+ exit_group\(/;
const MAPPED_FILE = /\bmmap\(.*?, \d+<(\/[^>]*)>/;

/** What a recording begins with. */
export interface RecordingHead {
  readonly tool: 'strace' | 'lackey';
  readonly command: readonly string[];
  readonly host: string;
}

export class RecordingWriter {
  lines = 0;
  bytes = 0;
  readonly #gzip: Gzip = createGzip({ level: 9 });
  readonly #file: number;
  readonly #done: Promise<void>;
  readonly #paths = new Set<string>();
  /** Of processes that are about to end. */
  readonly #ending = new Map<number, string>();
  #begun = '';
  /** Programs that have begun, up to the command's. */
  #programs = 0;

  constructor(path: string, { tool, command, host }: RecordingHead) {
    this.#file = openSync(path, 'w');
    this.#gzip.on('data', (piece: Buffer) => (this.bytes += writeSync(this.#file, piece)));
    this.#done = new Promise((resolve, reject) => {
      this.#gzip.on('end', resolve);
      this.#gzip.on('error', reject);
    });
    this.write(headerMark(tool) + commandMark(command) + hostMark(host));
  }

  write(text: string): void {
    this.#gzip.write(text);
  }

  /** What strace has printed, as it comes: a process may be held in the midst of a line. */
  take(piece: string): void {
    const lines = (this.#begun + piece).split('\n');
    this.#begun = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    const ending = ENDING.exec(this.#begun)?.[1];
    if (ending !== undefined) this.#look(Number(ending));
  }

  /** Writes the rest. */
  async end(): Promise<void> {
    if (this.#begun !== '') this.#line(this.#begun);
    for (const path of this.#paths) {
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      if (size !== undefined) this.write(fileMark(path, size));
    }
    this.#gzip.end();
    await this.#done;
    closeSync(this.#file);
  }

  #line(printed: string): void {
    // Strace says that it has held a process.
    const line = printed.replace(/ \(DELAYED\)$/, '');
    if (!this.#hasBegun(line)) return;
    this.lines++;
    this.write(`${line}\n`);
    const path = MAPPED_FILE.exec(line)?.[1];
    if (path !== undefined) this.#paths.add(path);
    const executed = EXECUTED.exec(line)?.[1];
    if (executed !== undefined) this.#maps(Number(executed), 'exec', mapsNow(Number(executed)));
    const ending = ENDING.exec(line)?.[1];
    if (ending === undefined) return;
    const pid = Number(ending);
    this.#look(pid);
    this.#maps(pid, 'exit', this.#ending.get(pid) ?? '');
    this.#ending.delete(pid);
  }

  /**
   * Strace does not hold the first program that it runs: that is a shell, which runs the command.
   * What it did is left out.
   */
  #hasBegun(line: string): boolean {
    if (this.#programs < 2 && EXECUTED.test(line)) this.#programs++;
    return this.#programs >= 2;
  }

  #look(pid: number): void {
    if (!this.#ending.has(pid)) this.#ending.set(pid, mapsNow(pid));
  }

  #maps(pid: number, when: 'exec' | 'exit', maps: string): void {
    if (maps === '') return;
    this.writeMaps(mapsMark(pid, when, maps));
  }

  /** The areas of a process; the sizes of their files come at the end. */
  writeMaps(maps: string): void {
    this.write(maps);
    for (const [, path = ''] of maps.matchAll(/ (\/.+)$/gm)) this.#paths.add(path);
  }
}

/** '' for a process that is gone. */
export function mapsNow(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return '';
  }
}
