/**
 * Names of files for a process of a simulated machine: a short form of what the kernel worker keeps
 * outside the kernel. All files are in memory, as on the host side (a tmpfs).
 */
import type { Cpu } from '../../kernel/machine/cpu.ts';
import { putObject } from '../../kernel/objects/object.ts';
import { createMemoryFile, memfdCreate, openObject } from '../../kernel/syscalls/open.ts';
import { EEXIST, ENOENT, ENOMEM } from '../../shared/abi/errno.ts';
import { O_CREAT, O_EXCL, O_PATH } from '../../shared/abi/mman.ts';

interface NamedFile {
  readonly object: number;
  readonly host: number;
}

export class MachineFiles {
  /** By the numbers that the kernel has for them. */
  readonly names: Map<number, string>;
  readonly #cpu: Cpu;
  readonly #proc: number;
  readonly #files: Map<string, NamedFile>;

  /** A child has the files of its parent. */
  constructor(cpu: Cpu, proc: number, parent?: MachineFiles) {
    this.#cpu = cpu;
    this.#proc = proc;
    this.names = parent?.names ?? new Map<number, string>();
    this.#files = parent === undefined ? new Map<string, NamedFile>() : parent.#files;
  }

  memfdCreate(name: string, flags: number): number {
    const host = this.names.size + 1;
    this.names.set(host, `/memfd:${name} (deleted)`);
    return memfdCreate(this.#cpu, this.#proc, host, flags);
  }

  open(name: string, flags: number): number {
    const mayCreate = (flags & O_CREAT) !== 0 && (flags & O_PATH) === 0;
    let file = this.#files.get(name);
    if (file !== undefined && mayCreate && (flags & O_EXCL) !== 0) return -EEXIST;
    if (file === undefined) {
      if (!mayCreate) return -ENOENT;
      const host = this.names.size + 1;
      file = { object: createMemoryFile(this.#cpu, host), host };
      if (file.object === 0) return -ENOMEM;
      this.#files.set(name, file);
      this.names.set(host, `/faultline-/${name}`);
    }
    return openObject(this.#cpu, this.#proc, file.object, flags);
  }

  unlink(name: string): number {
    const file = this.#files.get(name);
    if (file === undefined) return -ENOENT;
    this.#files.delete(name);
    this.names.set(file.host, `${this.names.get(file.host)} (deleted)`);
    putObject(this.#cpu, file.object);
    return 0;
  }

  /** Every name goes; what is open or mapped stays. */
  unlinkAll(): void {
    for (const name of [...this.#files.keys()]) this.unlink(name);
  }
}
