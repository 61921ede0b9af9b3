/**
 * The objects that a machine's host hands to it by name: files, device and backend modules, linear
 * regions. The kernel proper keeps a block for each; what stands behind it is kept here.
 *
 * Guarantees: an object lives as long as the machine; names are unique.
 */
import { createObject } from '../../kernel/index.ts';
import type { Cpu, UserHooks } from '../../kernel/index.ts';
import { EEXIST, ENOMEM } from '../../shared/errno.ts';
import {
  OBJECT_DEVICE,
  OBJECT_FILE,
  OBJECT_LINEAR,
  OBJECT_USER,
  OBJECT_KIND_NAMES,
} from '../../shared/layout.ts';
import type { KernelInit, WireFile } from '../../shared/protocol.ts';
import { SyscallError, describeThrown } from '../wire/errors.ts';
import { loadBackend, loadDevice } from './extensions.ts';
import type { Backend, Device } from './extensions.ts';
import { openHostFile } from './host-file.ts';
import { inKernel } from './in-kernel.ts';
import type { HostFile } from '../platform.ts';

export interface RegisteredObject {
  readonly name: string;
  /** Its block in the machine. */
  readonly block: number;
  readonly sizeBytes: number;
  /** 'file', 'user', 'device', 'linear'. */
  readonly kind: string;
  readonly file: HostFile | null;
  readonly backend: Backend | null;
  readonly device: Device | null;
}

type Behind = Partial<Pick<RegisteredObject, 'file' | 'backend' | 'device'>>;

export class ObjectRegistry {
  readonly #cpu: Cpu;
  readonly #byName = new Map<string, RegisteredObject>();
  readonly #byBlock = new Map<number, RegisteredObject>();
  /** The machine's number for an object is its place in here, plus 1. */
  readonly #byNumber: RegisteredObject[] = [];
  readonly #log: (line: string) => void;

  /** `log` receives what a backend module throws. Makes `cpu` the one that has the modules. */
  constructor(cpu: Cpu, log: (line: string) => void) {
    this.#cpu = cpu;
    this.#log = log;
    cpu.userHooks = this.#hooks();
  }

  /** Registers all that `boot` was given. */
  async addAll(init: KernelInit): Promise<void> {
    for (const [name, file] of Object.entries(init.files)) await this.addFile(name, file);
    for (const [name, url] of Object.entries(init.devices)) {
      const device = await loadDevice(url);
      this.#add(`/dev/${name}`, OBJECT_DEVICE, device.sizeBytes, true, { device });
    }
    for (const [name, url] of Object.entries(init.backends)) {
      const backend = await loadBackend(url);
      this.#add(`/backend/${name}`, OBJECT_USER, backend.sizeBytes, true, { backend });
    }
    for (const [name, sizeBytes] of Object.entries(init.linear)) {
      this.#add(`/dev/${name}`, OBJECT_LINEAR, sizeBytes, true, {});
    }
  }

  async addFile(name: string, source: WireFile): Promise<void> {
    this.#checkFree(name);
    const file = await openHostFile(source);
    // Shared writable mappings of a file would have to be written back; so they are refused.
    this.#add(name, OBJECT_FILE, file.sizeBytes, false, { file });
  }

  byName(name: string): RegisteredObject | undefined {
    return this.#byName.get(name);
  }

  byBlock(block: number): RegisteredObject | undefined {
    return this.#byBlock.get(block);
  }

  blocks(): number[] {
    return [...this.#byBlock.keys()];
  }

  /** For /proc/PID/maps: the machine's numbers of objects to their names. */
  names(): ReadonlyMap<number, string> {
    return new Map(this.#byNumber.map(({ name }, index) => [index + 1, name]));
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#byName.values()].map(async ({ file }) => file?.close()));
  }

  #checkFree(name: string): void {
    if (this.#byName.has(name)) throw new SyscallError('open', EEXIST, `'${name}' exists already`);
  }

  #add(name: string, kind: number, sizeBytes: number, writable: boolean, behind: Behind): void {
    this.#checkFree(name);
    const host = this.#byNumber.length + 1;
    const spec = { kind, size: sizeBytes, host, writable };
    const block = inKernel(this.#cpu, () => createObject(this.#cpu, spec));
    if (block === 0) throw new SyscallError('open', ENOMEM, `no memory for '${name}'`);
    const { file = null, backend = null, device = null } = behind;
    const kindName = OBJECT_KIND_NAMES[kind] ?? 'unknown';
    const object = { name, block, sizeBytes, kind: kindName, file, backend, device };
    this.#byName.set(name, object);
    this.#byBlock.set(block, object);
    this.#byNumber.push(object);
  }

  #hooks(): UserHooks {
    return {
      map: (host, ...range) => this.#ask(host, (backend) => backend.map?.(...range)),
      unmap: (host, ...range) => this.#ask(host, (backend) => backend.unmap?.(...range)),
      protect: (host, ...range) => this.#ask(host, (backend) => backend.protect?.(...range)),
    };
  }

  /** A module that throws has refused: an exception must not pass through the locked kernel. */
  #ask(host: number, question: (backend: Backend) => boolean | undefined): boolean {
    const object = this.#byNumber[host - 1];
    if (!object?.backend) return false;
    try {
      return question(object.backend) !== false;
    } catch (error) {
      this.#log(`${object.name}: ${describeThrown(error)}`);
      return false;
    }
  }
}
