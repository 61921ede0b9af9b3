/**
 * Writing dirty pages of host files back to the host. The kernel says which pages are dirty
 * (kernel/files/write-back.ts); this moves their bytes.
 *
 * Guarantees: `sync` resolves after all that was written before it was called is on the host, as
 * far as the host takes it; pages of one file are written by one sync at a time. A page that the
 * host refused stays dirty and is tried again; the error is logged and returned to the caller. The
 * host's file never becomes longer than the machine's.
 * Not guaranteed: any order among pages, or that a page is on the host before it is asked for.
 */
import {
  beginWriteBack,
  cleanObject,
  endWriteBack,
  frameBytesOf,
  markDirty,
  objectSize,
  putFrame,
  takeDirty,
} from '../../../kernel/index.ts';
import type { Cpu, DirtyPage } from '../../../kernel/index.ts';
import { EIO, ENOSPC } from '../../../shared/abi/errno.ts';
import { PAGE_SIZE, USER_PAGES } from '../../../shared/limits.ts';
import type { HostFile } from '../../platform.ts';
import { describeThrown } from '../../wire/thrown.ts';
import { inKernel } from '../in-kernel.ts';

/** Longest time that dirty pages wait when no caller asks for write-back. */
const INTERVAL_MS = 1000;

interface WritableFile {
  readonly block: number;
  readonly name: string;
  readonly host: HostFile;
  /** What the host's file has. */
  hostBytes: number;
  /** The last sync that was asked for. */
  last: Promise<number>;
  /** Changes whenever the host's file does: what was read meanwhile may be neither old nor new. */
  version: number;
}

export class WriteBack {
  readonly #cpu: Cpu;
  readonly #log: (line: string) => void;
  readonly #files = new Map<number, WritableFile>();
  /** Frames whose pages are on their way to the host. */
  readonly #held = new Set<number>();
  #nextMs = 0;

  constructor(cpu: Cpu, log: (line: string) => void) {
    this.#cpu = cpu;
    this.#log = log;
  }

  /** A file that may be written. */
  add(block: number, name: string, host: HostFile): void {
    const { sizeBytes: hostBytes } = host;
    const last = Promise.resolve(0);
    this.#files.set(block, { block, name, host, hostBytes, last, version: 0 });
  }

  /** Whether anything may have to be written back. */
  get isNeeded(): boolean {
    return this.#files.size > 0;
  }

  /** Changes with the contents of the host's file; always 0 for one that is not written. */
  version(block: number): number {
    return this.#files.get(block)?.version ?? 0;
  }

  /** Frames that are held outside the machine at this moment. */
  heldFrames(): number[] {
    return [...this.#held];
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + INTERVAL_MS;
    void this.syncAll(true);
  }

  /** All files; `clean`: with what mappings have written that are still there. 0 or -errno. */
  async syncAll(clean: boolean): Promise<number> {
    const syncs = [...this.#files.keys()].map((block) => this.sync(block, 0, USER_PAGES, clean));
    return Math.min(0, ...(await Promise.all(syncs)));
  }

  /** Writes back the pages [first, end) of an object. 0, -EIO or -ENOSPC. */
  sync(block: number, first: number, end: number, clean: boolean): Promise<number> {
    const file = this.#files.get(block);
    if (file === undefined) return Promise.resolve(0);
    file.last = file.last.then(() => this.#sync(file, first, end, clean));
    return file.last;
  }

  /** Never rejects. */
  async #sync(file: WritableFile, first: number, end: number, clean: boolean): Promise<number> {
    const cpu = this.#cpu;
    const supplied = inKernel(cpu, () => {
      if (clean) cleanObject(cpu, file.block, first, end);
      return beginWriteBack(cpu, file.block);
    });
    try {
      // What the machine has truncated must be gone before the file grows again.
      if (supplied < file.hostBytes) await this.#truncate(file, supplied);
      await this.#writePages(file, first, end);
      const size = inKernel(cpu, () => objectSize(cpu, file.block));
      if (size !== file.hostBytes) await this.#truncate(file, size);
      inKernel(cpu, () => endWriteBack(cpu, file.block));
      return 0;
    } catch (error) {
      this.#log(`${file.name}: not written back: ${describeThrown(error)}`);
      return (error as { code?: unknown }).code === 'ENOSPC' ? -ENOSPC : -EIO;
    } finally {
      file.version++;
    }
  }

  async #truncate(file: WritableFile, size: number): Promise<void> {
    file.version++;
    await file.host.truncate?.(size);
    file.hostBytes = size;
  }

  /** Writes every dirty page once. Rejects with the last failure, after the others were tried. */
  async #writePages(file: WritableFile, first: number, end: number): Promise<void> {
    const cpu = this.#cpu;
    let failure: Error | null = null;
    let from = first;
    for (;;) {
      const dirty = inKernel(cpu, () => takeDirty(cpu, file.block, from, end));
      if (dirty === null) break;
      from = dirty.page + 1;
      this.#held.add(dirty.pfn);
      try {
        await this.#writePage(file, dirty);
      } catch (error) {
        failure = error as Error;
        inKernel(cpu, () => markDirty(cpu, dirty.pfn));
      }
      this.#held.delete(dirty.pfn);
      inKernel(cpu, () => putFrame(cpu, dirty.pfn));
    }
    if (failure !== null) throw failure;
  }

  async #writePage(file: WritableFile, { page, pfn }: DirtyPage): Promise<void> {
    const cpu = this.#cpu;
    const at = page * PAGE_SIZE;
    const size = inKernel(cpu, () => objectSize(cpu, file.block));
    const length = Math.min(PAGE_SIZE, size - at);
    if (length <= 0) return;
    // A copy: the frame may be written again before the host has taken it.
    const bytes = frameBytesOf(cpu.machine, pfn).slice(0, length);
    file.version++;
    await file.host.write?.(at, bytes);
    file.hostBytes = Math.max(file.hostBytes, at + length);
  }
}
