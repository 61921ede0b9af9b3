/**
 * User-space pagers: processes that supply the pages of a memory object themselves, as with Linux's
 * userfaultfd. To the rest of the machine such an object is like a backend module's; only its
 * `readPage` is a call of the pager's function in the pager's own Worker.
 *
 * Guarantees: a page is requested once for all processes that wait for it; if the pager throws,
 * dies, or cannot run because its Worker waits for that very page, the faulting process gets
 * SIGBUS.
 * Not guaranteed: that a page is requested only once. Clean pages are freed when memory is short.
 */
import { openObject, livingProcess } from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import * as E from '../../../shared/abi/errno.ts';
import * as CPU from '../../../shared/layout/cpu.ts';
import { FILE_BYTES_MAX } from '../../../shared/limits.ts';
import { O_RDWR } from '../../../shared/abi/mman.ts';
import type { CpuApi } from '../../../shared/wire.ts';
import { SyscallError } from '../../wire/errors.ts';
import type { Connection } from '../../wire/endpoint.ts';
import { modeOf } from '../cpu-mode.ts';
import { inKernel } from '../in-kernel.ts';
import { PAGER_PREFIX } from './object-registry.ts';
import type { ObjectRegistry } from './object-registry.ts';

/** How often a long call is checked, and at how many checks in a row its CPU may be asleep. */
const LOOK_MS = 50;
const LOOKS_MAX = 20;

/** Where a process runs: its Worker, and that Worker's CPU. Null when it has ended. */
type Locate = (
  pid: number,
) => { readonly cpu: number; readonly remote: Connection<CpuApi>['remote'] } | null;

export interface UserPagersNeeds {
  readonly cpu: Cpu;
  readonly objects: ObjectRegistry;
  readonly locate: Locate;
}

export class UserPagers {
  readonly #cpu: Cpu;
  readonly #objects: ObjectRegistry;
  readonly #locate: Locate;
  /** From names of objects to the processes that supply them. */
  readonly #owners = new Map<string, number>();

  constructor({ cpu, objects, locate }: UserPagersNeeds) {
    this.#cpu = cpu;
    this.#objects = objects;
    this.#locate = locate;
  }

  /** Makes process `pid` the pager of `/pager/NAME`: a descriptor of it, or -errno. */
  create(pid: number, name: string, sizeBytes: number): number {
    const cpu = this.#cpu;
    const proc = livingProcess(cpu.machine, pid);
    if (proc === 0) return -E.ESRCH;
    const isSize = Number.isSafeInteger(sizeBytes) && sizeBytes > 0 && sizeBytes <= FILE_BYTES_MAX;
    if (!isSize || name === '' || name.includes('\0')) return -E.EINVAL;
    const path = `${PAGER_PREFIX}${name}`;
    const owner = this.#owners.get(path);
    // The name of a pager that has died is free; what it supplied stays mapped.
    if (owner !== undefined && this.#locate(owner) === null) this.#objects.unlink(path);
    try {
      const backend = {
        sizeBytes,
        readPage: (page: number, target: Uint8Array) => this.#readPage(pid, path, page, target),
      };
      const object = this.#objects.addBackend(path, backend);
      this.#owners.set(path, pid);
      return inKernel(cpu, () => openObject(cpu, proc, object.block, O_RDWR));
    } catch (error) {
      if (error instanceof SyscallError) return -error.errno;
      throw error;
    }
  }

  async #readPage(pid: number, path: string, page: number, target: Uint8Array): Promise<void> {
    const place = this.#locate(pid);
    if (place === null) throw new Error(`its pager, process ${pid}, has ended`);
    let timer: ReturnType<typeof setInterval> | undefined;
    const stuck = new Promise<never>((_, reject) => {
      let looks = 0;
      timer = setInterval(() => {
        looks = this.#sleeps(place.cpu) ? looks + 1 : 0;
        if (looks < LOOKS_MAX && this.#locate(pid) !== null) return;
        reject(new Error(`its pager, process ${pid}, cannot run: its Worker waits or has ended`));
      }, LOOK_MS);
    });
    try {
      target.set(await Promise.race([place.remote.servePage(pid, path, page), stuck]));
    } finally {
      clearInterval(timer);
    }
  }

  /** Whether a CPU sleeps in a trap: if for long, it waits for a page of its own pager. */
  #sleeps(cpu: number): boolean {
    // Many in a row decide.
    return modeOf(this.#cpu, cpu) === CPU.MODE_BLOCKED;
  }
}
