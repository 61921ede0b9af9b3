/** The pager's side of user-space paging: which function of a process supplies which object. */
import { PAGE_SIZE } from '../../../shared/limits.ts';
import type { PageReader } from '../../api/machine-api.ts';

export class PageServer {
  readonly #readers = new Map<string, PageReader>();

  /** `path` is the object's name as others open it. */
  add(path: string, reader: PageReader): void {
    this.#readers.set(path, reader);
  }

  remove(path: string): void {
    this.#readers.delete(path);
  }

  /** Fills a page, zero at first. Rejects with what the function throws. */
  async serve(path: string, page: number): Promise<Uint8Array> {
    const reader = this.#readers.get(path);
    if (reader === undefined) throw new Error(`no function supplies ${path}`);
    const target = new Uint8Array(PAGE_SIZE);
    await reader(page, target);
    return target;
  }
}
