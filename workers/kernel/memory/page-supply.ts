/**
 * Pages that only the kernel worker can supply: read from a host file or made by a backend module.
 *
 * Guarantees: a page that several CPUs wait for is read once. A file is read in windows of
 * READAHEAD_PAGES, so that a scan costs one wait per window; pages beyond the wanted one are
 * optional, dropped silently when memory is short.
 */
import {
  INJECT_BACKEND,
  INJECT_READ,
  injected,
  objectSize,
  SWAP_STORE,
  beginPageIn,
  finishPageIn,
  frameBytesOf,
  pageIsIn,
} from '../../../kernel/index.ts';
import type { Cpu } from '../../../kernel/index.ts';
import { EIO, ENOMEM } from '../../../shared/abi/errno.ts';
import { PAGE_SIZE } from '../../../shared/limits.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { inKernel } from '../in-kernel.ts';
import type { MemoryPressure } from './memory-pressure.ts';
import type { Swapper } from './swapper.ts';

/** Pages of a file that are read together, aligned; a power of two. */
const READAHEAD_PAGES = 16;

/** An object whose pages are read from a host file or made by a backend module. */
export interface PageSource {
  readonly name: string;
  readonly block: number;
  readonly file: { read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> } | null;
  readonly backend: { readPage(page: number, target: Uint8Array): void | Promise<void> } | null;
}

export interface PageSupplyNeeds {
  readonly cpu: Cpu;
  /** The source of an object's pages, by the object's block. */
  readonly sourceOf: (block: number) => PageSource | undefined;
  /** Changes with the contents of the object's host file. */
  readonly versionOf: (block: number) => number;
  /** Notices that somebody else has changed an object's host file; `now`: even a moment ago. */
  readonly checkHost: (block: number, now: boolean) => Promise<void> | null;
  readonly swapper: Swapper | null;
  readonly pressure: MemoryPressure;
  /** Receives the errors of backend modules and reads. */
  readonly log: (line: string) => void;
}

export class PageSupply {
  readonly #cpu: Cpu;
  readonly #needs: PageSupplyNeeds;
  /** Reads under way, by object and first page of the window. */
  readonly #reads = new Map<string, Promise<number>>();

  constructor(needs: PageSupplyNeeds) {
    this.#cpu = needs.cpu;
    this.#needs = needs;
  }

  /** Brings a page of an object, or of the swap store, into memory. 0, -EIO or -ENOMEM. */
  supply(block: number, page: number): Promise<number> {
    if (block === SWAP_STORE) {
      const { swapper, pressure } = this.#needs;
      return swapper === null ? Promise.resolve(-EIO) : pressure.wait(swapper.read(page));
    }
    const object = this.#needs.sourceOf(block);
    if (object === undefined) return Promise.resolve(-EIO);
    const count = object.file === null ? 1 : READAHEAD_PAGES;
    const first = page - (page % count);
    const key = `${block}/${first}`;
    let read = this.#reads.get(key);
    if (read === undefined) {
      read = this.#read(object, first, count, page)
        .catch((error: unknown) => {
          this.#needs.log(`${object.name}: page ${page}: ${describeThrown(error)}`);
          return -EIO;
        })
        .finally(() => this.#reads.delete(key));
      this.#reads.set(key, read);
    }
    return read;
  }

  async #read(object: PageSource, first: number, count: number, wanted: number): Promise<number> {
    const { versionOf, checkHost } = this.#needs;
    await checkHost(object.block, false);
    let bytes: Uint8Array;
    let version: number;
    do {
      version = versionOf(object.block);
      bytes = await this.#bytes(object, first, count);
      // Written meanwhile: what was read may be older than a page that was written and evicted.
    } while (version !== versionOf(object.block));
    if (this.#isShort(object, first, count, bytes)) await checkHost(object.block, true);
    const content = (page: number): Uint8Array =>
      bytes.subarray((page - first) * PAGE_SIZE, (page - first + 1) * PAGE_SIZE);
    // The wanted page first: when memory is short it must be the one that is there.
    const isIn = inKernel(this.#cpu, () => this.#install(object, wanted, content(wanted)));
    const end = first + Math.ceil(bytes.length / PAGE_SIZE);
    inKernel(this.#cpu, () => {
      for (let page = first; page < end && isIn; page++) {
        if (pageIsIn(this.#cpu, object.block, page)) continue;
        if (!this.#install(object, page, content(page))) break;
      }
    });
    return isIn ? 0 : -ENOMEM;
  }

  /** Whether the host's file ended before the object does. */
  #isShort({ file, block }: PageSource, first: number, count: number, bytes: Uint8Array): boolean {
    if (file === null || bytes.length === count * PAGE_SIZE) return false;
    const size = inKernel(this.#cpu, () => objectSize(this.#cpu, block));
    return first * PAGE_SIZE + bytes.length < Math.min(size, (first + count) * PAGE_SIZE);
  }

  async #bytes(object: PageSource, first: number, count: number): Promise<Uint8Array> {
    const kind = object.file === null ? INJECT_BACKEND : INJECT_READ;
    if (injected(this.#cpu, kind)) throw new Error('failed on purpose (inject)');
    if (object.file !== null) return object.file.read(first * PAGE_SIZE, count * PAGE_SIZE);
    const page = new Uint8Array(PAGE_SIZE);
    await object.backend?.readPage(first, page);
    return page;
  }

  /** Installs a page, zero beyond `content`. False when memory is exhausted. */
  #install(object: PageSource, page: number, content: Uint8Array): boolean {
    const cpu = this.#cpu;
    const pfn = beginPageIn(cpu);
    if (pfn === 0) return false;
    frameBytesOf(cpu.machine, pfn).set(content);
    return finishPageIn(cpu, object.block, page, pfn);
  }
}
