/**
 * The files that a recording maps: an object for each, of the size that the file had. Contents are
 * zeroes, because a recording has none.
 */
import type { Cpu } from '../../../kernel/machine/cpu.ts';
import { closeFd } from '../../../kernel/objects/fd.ts';
import { createObject, putObject } from '../../../kernel/objects/object.ts';
import { openObject } from '../../../kernel/syscalls/open.ts';
import * as OBJECT from '../../../shared/layout/object.ts';
import { FILE_BYTES_MAX } from '../../../shared/limits.ts';
import { ENOMEM } from '../../../shared/abi/errno.ts';
import type { ObjectBlock, ProcessBlock } from '../../../shared/units.ts';

/** A file's bytes; null if that is not known. */
export type FileSizes = (path: string) => number | null;

/** What Linux keeps in memory, not on a disk. */
const IN_MEMORY = /^\/(?:memfd:|SYSV|dev\/shm\/|dev\/zero \(deleted\))/;

export class ReplayFiles {
  /** By the numbers that the kernel has for them. */
  readonly names: Map<number, string> = new Map();
  readonly #cpu: Cpu;
  readonly #sizeOf: FileSizes;
  readonly #objects = new Map<string, ObjectBlock>();

  constructor(cpu: Cpu, sizeOf: FileSizes) {
    this.#cpu = cpu;
    this.#sizeOf = sizeOf;
  }

  /** A descriptor of the file, for one call; or a negative errno. */
  open(proc: ProcessBlock, path: string, flags: number): number {
    const object = this.#objects.get(path) ?? this.#create(path);
    return object === 0 ? -ENOMEM : openObject(this.#cpu, proc, object, flags);
  }

  close(proc: ProcessBlock, fd: number): void {
    if (fd >= 0) closeFd(this.#cpu, proc, fd);
  }

  /** Every name goes; what is mapped stays. */
  closeAll(): void {
    for (const object of this.#objects.values()) putObject(this.#cpu, object);
    this.#objects.clear();
  }

  #create(path: string): ObjectBlock {
    const host = this.names.size + 1;
    const kind = kindOf(path);
    const known = this.#sizeOf(path) ?? 0;
    const size = kind === OBJECT.ZERO ? 0 : Math.max(0, Math.min(FILE_BYTES_MAX, known));
    const object = createObject(this.#cpu, { kind, size, host, writable: true });
    if (object === 0) return 0;
    this.names.set(host, path);
    this.#objects.set(path, object);
    return object;
  }
}

function kindOf(path: string): number {
  if (path === '/dev/zero') return OBJECT.ZERO;
  return IN_MEMORY.test(path) ? OBJECT.SHARED : OBJECT.FILE;
}
