/**
 * The objects that have a name: files, device and backend modules and linear regions, which the
 * host hands to the machine, and files that programs make in the machine's memory. The kernel
 * proper keeps a block for each; the file or module that it comes from is kept here.
 *
 * Guarantees: names are unique. An object that comes from the host lives as long as the machine;
 * one in memory only, or of a pager, until it is unused and has no name.
 */
import { createMemoryFile, createObject, kindNumbered, putObject } from '../../../kernel/index.ts';
import * as OBJECT from '../../../shared/layout/object.ts';
import type { BackendResult, Cpu, MappingChange, UserHooks } from '../../../kernel/index.ts';
import { load } from '../../../shared/atomics.ts';
import { EEXIST, ENOMEM } from '../../../shared/abi/errno.ts';
import { panic } from '../../../shared/panic.ts';
import type { KernelInit, WireFile } from '../../../shared/wire.ts';
import type { MappingBackendModule } from '../../api/mapping-api.ts';
import { SyscallError } from '../../wire/errors.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { loadBackend, loadDevice } from './user-modules.ts';
import type { Backend, Device } from './user-modules.ts';
import { MappingBackends } from './mapping-backends.ts';
import { openHostFile } from './host-file.ts';
import { inKernel } from '../in-kernel.ts';
import type { HostFile } from '../../platform.ts';
import { HostChanges } from './host-changes.ts';
import { ProcTexts } from './proc-texts.ts';
import type { MakeText } from './proc-texts.ts';
import { WriteBack } from './write-back-service.ts';

export interface RegisteredObject {
  readonly name: string;
  /** The machine's number for it: the inode in /proc/PID/maps. */
  readonly number: number;
  /** Its block in the machine. */
  readonly block: number;
  /** OBJECT_* kind. */
  readonly kind: number;
  readonly file: HostFile | null;
  readonly backend: Omit<Backend, 'sizeBytes'> | null;
  readonly mapping: MappingBackendModule | null;
  readonly device: Device | null;
}

/** What names of objects begin with that processes supply. */
export const PAGER_PREFIX = '/pager/';

/** An object that goes when it is not used any more. */
type Nameless = RegisteredObject | null;

/** What is asked about the ranges of an object, and for its pages. */
type Asked = NonNullable<RegisteredObject['backend']>;

/** What an object's pages or registers come from; nothing for memory alone. */
type Source = Partial<Pick<RegisteredObject, 'file' | 'backend' | 'mapping' | 'device'>>;

export class ObjectRegistry {
  /** Writes dirty pages of host files back to the host. */
  readonly writeBack: WriteBack;
  /** Notices what others do to host files. */
  readonly changes: HostChanges;
  /** The files of /proc that are open. */
  readonly texts: ProcTexts;
  readonly #cpu: Cpu;
  readonly #byName = new Map<string, RegisteredObject>();
  readonly #byBlock = new Map<number, RegisteredObject>();
  readonly #byNumber = new Map<number, RegisteredObject>();
  /** Memory only and without a name: freed as soon as nothing else uses them. */
  readonly #unlinked = new Set<RegisteredObject>();
  #numbers = 0;
  readonly #log: (line: string) => void;
  readonly #mappings: MappingBackends;

  /** `log` receives the failures of modules and host files. `cpu` is the one with the modules. */
  constructor(cpu: Cpu, log: (line: string) => void, makeText: MakeText) {
    this.#cpu = cpu;
    this.#log = log;
    this.#mappings = new MappingBackends(log);
    this.writeBack = new WriteBack(cpu, log);
    this.changes = new HostChanges(cpu, log);
    this.texts = new ProcTexts(cpu, makeText);
    cpu.userHooks = this.#hooks();
  }

  /** Registers all that `boot` was given. */
  async addAll(init: KernelInit): Promise<void> {
    for (const [name, file] of Object.entries(init.files)) await this.addFile(name, file);
    for (const [name, url] of Object.entries(init.devices)) {
      const device = await loadDevice(url);
      this.#add(`/dev/${name}`, OBJECT.DEVICE, device.sizeBytes, true, { device });
    }
    for (const [name, url] of Object.entries(init.backends)) {
      const loaded = await loadBackend(url);
      if ('backend' in loaded) this.addBackend(`/backend/${name}`, loaded.backend);
      else this.#addMapping(`/backend/${name}`, loaded.mapping);
    }
    for (const [name, sizeBytes] of Object.entries(init.linear)) {
      this.#add(`/dev/${name}`, OBJECT.LINEAR, sizeBytes, true, {});
    }
  }

  /** An object whose pages `backend` supplies. Throws SyscallError: EEXIST, ENOMEM. */
  addBackend(path: string, backend: Backend): RegisteredObject {
    return this.#add(path, OBJECT.USER, backend.sizeBytes, true, { backend });
  }

  /** An object whose pages a module arranges itself, and supplies if it has `readPage`. */
  #addMapping(path: string, mapping: MappingBackendModule): void {
    const backend = {
      readPage: (page: number, target: Uint8Array) => mapping.readPage?.(page, target),
    };
    this.#add(path, OBJECT.ARRANGED, mapping.sizeBytes, true, { backend, mapping });
  }

  async addFile(name: string, source: WireFile): Promise<void> {
    this.#checkFree(name);
    const file = await openHostFile(name, source);
    const isWritable = file.write !== undefined;
    const object = this.#add(name, OBJECT.FILE, file.sizeBytes, isWritable, { file });
    if (isWritable) this.writeBack.add(object.block, name, file);
    else this.changes.add(object.block, name, file);
  }

  /** A file in the machine's memory, empty; with no name for a memfd. Null: out of memory. */
  createMemory(name: string, isLinked: boolean, seals?: number): RegisteredObject | null {
    const number = this.#numbers + 1;
    const block = inKernel(this.#cpu, () => createMemoryFile(this.#cpu, number, seals));
    if (block === 0) return null;
    const object = this.#register(name, block, OBJECT.SHARED, {});
    if (isLinked) this.#byName.set(name, object);
    else this.#unlinked.add(object);
    return object;
  }

  /** A file of /proc, for one open. Null: out of memory. */
  createText(name: string, what: NonNullable<ReturnType<ProcTexts['parse']>>): Nameless {
    const object = this.#createNameless(name, OBJECT.TEXT, false, (block) => ({
      sizeBytes: 0,
      read: async (offset, length) => this.texts.read(block, offset, length),
      close: async () => {},
    }));
    if (object !== null) this.texts.add(object.block, what);
    return object;
  }

  /** An object made elsewhere, which goes when nobody uses it any more. */
  addNameless(name: string, block: number, kind: number): RegisteredObject {
    const object = this.#register(name, block, kind, {});
    this.#unlinked.add(object);
    return object;
  }

  /** /dev/zero, for one open. Null: out of memory. */
  createZero(): Nameless {
    return this.#createNameless('/dev/zero', OBJECT.ZERO, true, () => null);
  }

  #createNameless(
    name: string,
    kind: number,
    writable: boolean,
    fileOf: (block: number) => HostFile | null,
  ): Nameless {
    const spec = { kind, size: 0, host: this.#numbers + 1, writable };
    const block = inKernel(this.#cpu, () => createObject(this.#cpu, spec));
    if (block === 0) return null;
    const object = this.#register(name, block, kind, { file: fileOf(block) });
    this.#unlinked.add(object);
    return object;
  }

  /**
   * Removes a name; what is behind it is freed with its last user, unless `boot` was given it.
   * False when there is no such name.
   */
  unlink(name: string): boolean {
    const object = this.#byName.get(name);
    if (object === undefined) return false;
    this.#byName.delete(name);
    if (!this.isOfHost(object)) this.#unlinked.add(object);
    return true;
  }

  /** Whether `boot` was given it: it lives as long as the machine. */
  isOfHost({ kind, name }: RegisteredObject): boolean {
    return kindNumbered(kind).isHandedIn && !name.startsWith(PAGER_PREFIX);
  }

  byName(name: string): RegisteredObject | undefined {
    return this.#byName.get(name);
  }

  /** Whether names begin with `path` and a slash. */
  isDirectory(path: string): boolean {
    if (['', '/', '/dev', '/proc', '/backend', '/pager'].includes(path)) return true;
    return [...this.#byName.keys()].some((name) => name.startsWith(`${path}/`));
  }

  byBlock(block: number): RegisteredObject | undefined {
    return this.#byBlock.get(block);
  }

  blocks(): number[] {
    return [...this.#byBlock.keys()];
  }

  /** For /proc/PID/maps: maps the machine's object numbers to their names. */
  names(): ReadonlyMap<number, string> {
    const shown = (object: RegisteredObject): string =>
      this.#byName.get(object.name) === object ? object.name : `${object.name} (deleted)`;
    return new Map([...this.#byNumber].map(([number, object]) => [number, shown(object)]));
  }

  /** Called now and then: frees unused objects, writes back what was written a while ago. */
  tick(nowMs: number): void {
    for (const object of this.#unlinked) {
      // ORDER: 1 is the registry's own reference, from which no other can be made.
      if (load(this.#cpu.words, object.block + OBJECT.REFS) === 1) this.#release(object);
    }
    this.writeBack.tick(nowMs);
    this.changes.tick(nowMs);
  }

  /** Writes back what is left, and closes the host's files. */
  async closeAll(): Promise<void> {
    await this.writeBack.syncAll(true);
    await Promise.all([...this.#byBlock.values()].map(async ({ file }) => file?.close()));
  }

  #checkFree(name: string): void {
    if (this.#byName.has(name)) throw new SyscallError('open', EEXIST, `'${name}' exists already`);
  }

  #add(
    name: string,
    kind: number,
    size: number,
    writable: boolean,
    source: Source,
  ): RegisteredObject {
    this.#checkFree(name);
    const spec = { kind, size, host: this.#numbers + 1, writable };
    const block = inKernel(this.#cpu, () => createObject(this.#cpu, spec));
    if (block === 0) throw new SyscallError('open', ENOMEM, `no memory for '${name}'`);
    const object = this.#register(name, block, kind, source);
    this.#byName.set(name, object);
    return object;
  }

  #register(name: string, block: number, kind: number, source: Source): RegisteredObject {
    const number = ++this.#numbers;
    const { file = null, backend = null, mapping = null, device = null } = source;
    const object = { name, number, block, kind, file, backend, mapping, device };
    this.#byBlock.set(block, object);
    this.#byNumber.set(number, object);
    return object;
  }

  #release(object: RegisteredObject): void {
    this.#unlinked.delete(object);
    this.#byBlock.delete(object.block);
    this.#byNumber.delete(object.number);
    this.texts.remove(object.block);
    inKernel(this.#cpu, () => putObject(this.#cpu, object.block));
  }

  #hooks(): UserHooks {
    return {
      map: (host, ...range) => this.#ask(host, (backend) => backend.map?.(...range)),
      unmap: (host, ...range) => this.#ask(host, (backend) => backend.unmap?.(...range)),
      protect: (host, ...range) => this.#ask(host, (backend) => backend.protect?.(...range)),
      changeMapping: (change) => this.#changeMapping(change),
      endSpace: (id) => this.#mappings.endSpace(id),
    };
  }

  /** A call that waited for memory has ended. */
  settleMappings(): void {
    if (this.#mappings.isUnsettled) inKernel(this.#cpu, () => this.#mappings.settle());
  }

  #changeMapping(change: MappingChange): BackendResult {
    const object = this.#byNumber.get(change.host);
    if (!object?.mapping) return panic('changeMapping: no module', change.host);
    return this.#mappings.change({ name: object.name, module: object.mapping }, change);
  }

  /** A throw counts as a refusal: an exception must not pass through the locked kernel. */
  #ask(host: number, question: (backend: Asked) => boolean | undefined): boolean {
    const object = this.#byNumber.get(host);
    if (!object?.backend) return false;
    try {
      return question(object.backend) !== false;
    } catch (error) {
      this.#log(`${object.name}: ${describeThrown(error)}`);
      return false;
    }
  }
}
