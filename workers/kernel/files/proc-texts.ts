/**
 * The files of /proc that programs open: maps, smaps, status and statm of a process, and of the
 * caller (self, thread-self). Each open makes an object, freed when nobody uses it any more.
 *
 * Guarantees: what is read from the start of a file is its process at that moment; further reads go
 * on in the same text, so that a file that is read to its end is one state. A process that has
 * ended meanwhile is an empty text.
 */
import {
  changedObject,
  fdFile,
  fileObject,
  filePosition,
  kindOf,
  processOf,
  putFile,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { SYS_PREAD, SYS_READ } from '../../../shared/abi/syscalls.ts';
import { WIRE_PROC_FILES } from '../../../shared/wire.ts';
import type { WireProcFile } from '../../../shared/wire.ts';
import { inKernel } from '../in-kernel.ts';

/** The text of a process's file; a number when there is no such process. */
export type MakeText = (pid: number, name: WireProcFile) => string | number;

interface Text {
  readonly pid: number;
  readonly name: WireProcFile;
  bytes: Uint8Array;
}

export class ProcTexts {
  readonly #cpu: Cpu;
  readonly #make: MakeText;
  /** By the object's block. */
  readonly #texts = new Map<number, Text>();

  constructor(cpu: Cpu, make: MakeText) {
    this.#cpu = cpu;
    this.#make = make;
  }

  /** What a path names for a process: null when it is no file of /proc. */
  parse(caller: number, path: string): Pick<Text, 'pid' | 'name'> | null {
    const [, who = '', file = ''] = /^\/proc\/(self|thread-self|[1-9]\d*)\/(\w+)$/.exec(path) ?? [];
    const name = WIRE_PROC_FILES.find((known) => known === file);
    if (name === undefined) return null;
    const pid = who.endsWith('self') ? caller : Number(who);
    return typeof this.#make(pid, name) === 'string' ? { pid, name } : null;
  }

  /** The object with this block is that file. */
  add(block: number, { pid, name }: Pick<Text, 'pid' | 'name'>): void {
    this.#texts.set(block, { pid, name, bytes: new Uint8Array(0) });
  }

  remove(block: number): void {
    this.#texts.delete(block);
  }

  /** The bytes [offset, offset + length) of an object's text, fewer at its end. */
  read(block: number, offset: number, length: number): Uint8Array {
    return this.#texts.get(block)?.bytes.subarray(offset, offset + length) ?? new Uint8Array(0);
  }

  /** Before a syscall: if it reads a file of /proc from its start, writes that anew. */
  refresh(number: number, pid: number, args: readonly unknown[]): void {
    if (this.#texts.size === 0 || (number !== SYS_READ && number !== SYS_PREAD)) return;
    const [fd, , , offset] = args as readonly number[];
    const block = this.#textAt(pid, fd ?? NaN, number === SYS_PREAD ? (offset ?? NaN) : null);
    const text = this.#texts.get(block);
    if (text === undefined) return;
    const made = this.#make(text.pid, text.name);
    text.bytes = new TextEncoder().encode(typeof made === 'string' ? made : '');
    inKernel(this.#cpu, () => changedObject(this.#cpu, block, text.bytes.length));
  }

  /** The object of a descriptor that is a text at position 0; 0 for any other. */
  #textAt(pid: number, fd: number, offset: number | null): number {
    const cpu = this.#cpu;
    const proc = processOf(cpu.machine, pid);
    if (proc === 0) return 0;
    return inKernel(cpu, () => {
      const file = fdFile(cpu, proc, fd);
      if (file === 0) return 0;
      const object = fileObject(cpu, file);
      const isStart = (offset ?? filePosition(cpu, file)) === 0;
      const isText = kindOf(cpu.machine, object).isText;
      putFile(cpu, file);
      return isStart && isText ? object : 0;
    });
  }
}
