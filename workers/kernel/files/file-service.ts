/**
 * The syscalls that take or return a file's name. The namespace is flat: a name is a string, given
 * by the host or by the program that made the file. A prefix of names that ends before a slash
 * counts as a directory, which can only be refused.
 */
import {
  areMemfdFlags,
  createProcessMemory,
  fdFile,
  fileObject,
  kindNumbered,
  kindOf,
  memfdOpenFlags,
  memfdSeals,
  objectSize,
  openObject,
  livingProcess,
  processOf,
  putFile,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import * as E from '../../../shared/abi/errno.ts';
import * as OBJECT from '../../../shared/layout/object.ts';
import { MEMFD_NAME_BYTES_MAX, PATH_BYTES_MAX } from '../../../shared/limits.ts';
import * as M from '../../../shared/abi/mman.ts';
import type { WireFileInfo } from '../../../shared/wire.ts';
import { inKernel } from '../in-kernel.ts';
import type { ObjectRegistry, RegisteredObject } from './object-registry.ts';

export class FileService {
  readonly #cpu: Cpu;
  readonly #objects: ObjectRegistry;

  constructor(cpu: Cpu, objects: ObjectRegistry) {
    this.#cpu = cpu;
    this.#objects = objects;
  }

  /** open(2). EACCES EEXIST EINVAL EISDIR EMFILE ENAMETOOLONG ENOENT ENOMEM ENOTDIR. */
  open(pid: number, name: string, flags: number): number {
    const cpu = this.#cpu;
    const proc = this.#process(pid);
    if (proc === 0) return -E.ESRCH;
    if (!Number.isInteger(flags) || flags !== (flags | 0)) return -E.EINVAL;
    const object = this.#find(pid, name, flags);
    if (typeof object === 'number') return object;
    return inKernel(cpu, () => openObject(cpu, proc, object.block, flags));
  }

  /** memfd_create(2). EINVAL EMFILE ENOMEM. */
  memfdCreate(pid: number, name: string, flags: number): number {
    const cpu = this.#cpu;
    const proc = this.#process(pid);
    if (proc === 0) return -E.ESRCH;
    const isShort = isName(name) && byteLength(name) <= MEMFD_NAME_BYTES_MAX;
    if (!isShort || !areMemfdFlags(flags)) return -E.EINVAL;
    const object = this.#objects.createMemory(`/memfd:${name}`, false, memfdSeals(flags));
    if (object === null) return -E.ENOMEM;
    return inKernel(cpu, () => openObject(cpu, proc, object.block, memfdOpenFlags(flags)));
  }

  /** unlink(2): open descriptors and mappings keep the file. EISDIR ENOENT EPERM. */
  unlink(pid: number, name: string): number {
    if (this.#process(pid) === 0) return -E.ESRCH;
    const object = this.#objects.byName(name);
    if (object === undefined) {
      return name !== '' && this.#objects.isDirectory(name.replace(/\/+$/, ''))
        ? -E.EISDIR
        : -E.ENOENT;
    }
    const { isRegular } = kindNumbered(object.kind);
    if (!isRegular && this.#objects.isOfHost(object)) return -E.EPERM;
    this.#objects.unlink(name);
    return 0;
  }

  /** fstat(2). -EBADF, or what is known of the file. */
  fstat(pid: number, fd: number): WireFileInfo | number {
    const cpu = this.#cpu;
    const proc = this.#process(pid);
    if (proc === 0) return -E.ESRCH;
    return inKernel(cpu, () => {
      const file = fdFile(cpu, proc, fd, true);
      if (file === 0) return -E.EBADF;
      const object = fileObject(cpu, file);
      const { name: kind, isText } = kindOf(cpu.machine, object);
      const size = isText ? 0 : objectSize(cpu, object);
      putFile(cpu, file);
      return { size, kind };
    });
  }

  #find(pid: number, name: string, flags: number): RegisteredObject | number {
    if (!isName(name)) return -E.EINVAL;
    if (name === '') return -E.ENOENT;
    if (byteLength(name) > PATH_BYTES_MAX) return -E.ENAMETOOLONG;
    const creates = (flags & M.O_CREAT) !== 0 && (flags & M.O_PATH) === 0;
    const isNew = creates && (flags & M.O_EXCL) !== 0;
    const object = this.#objects.byName(name);
    if (object !== undefined) return isNew ? -E.EEXIST : object;
    const memory = /^\/proc\/(self|thread-self|[1-9]\d*)\/mem$/.exec(name)?.[1];
    if (memory !== undefined) {
      const whose = memory.endsWith('self') ? pid : Number(memory);
      return isNew ? -E.EEXIST : this.#memoryOf(pid, name, whose);
    }
    const text = this.#objects.texts.parse(pid, name);
    if (text !== null || name === '/dev/zero') {
      if (isNew) return -E.EEXIST;
      const made =
        text === null ? this.#objects.createZero() : this.#objects.createText(name, text);
      return made ?? -E.ENOMEM;
    }
    if (this.#objects.isDirectory(name.replace(/\/+$/, ''))) return -E.EISDIR;
    if (this.#goesThroughFile(name)) return -E.ENOTDIR;
    if (!creates) return -E.ENOENT;
    if (name.endsWith('/')) return -E.EISDIR;
    return this.#objects.createMemory(name, true) ?? -E.ENOMEM;
  }

  /** /proc/PID/mem, for one open: an object that goes when it is not used any more. */
  #memoryOf(caller: number, name: string, pid: number): RegisteredObject | number {
    const proc = this.#process(caller);
    const cpu = this.#cpu;
    const block = inKernel(cpu, () => createProcessMemory(cpu, proc, pid, 0));
    if (block > 0) return this.#objects.addNameless(name, block, OBJECT.MEMORY);
    // A pid that never was has no directory.
    return block === -E.ESRCH && processOf(cpu.machine, pid) === 0 ? -E.ENOENT : block;
  }

  #goesThroughFile(name: string): boolean {
    for (let at = name.indexOf('/', 1); at > 0; at = name.indexOf('/', at + 1)) {
      if (this.#objects.byName(name.slice(0, at)) !== undefined) return true;
    }
    return false;
  }

  #process(pid: number): number {
    return livingProcess(this.#cpu.machine, pid);
  }
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && !name.includes('\0');
}

function byteLength(name: string): number {
  return new TextEncoder().encode(name).length;
}
