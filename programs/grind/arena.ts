/**
 * The arena of one process of a grind, and the model of what lies in it. Random calls and accesses,
 * each compared with the model.
 *
 * A call that fails for want of memory may have done a part of its work, as on Linux; its ranges
 * are unmapped then, so that the model knows them again.
 */
import {
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  MemoryFault,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from '../../workers/program.ts';
import type { Proc, SyncSyscalls } from '../../workers/program.ts';
import { succeeds } from './shared-page.ts';

/** What the model knows of a page; null stands for a page that is not mapped. */
export type PageModel = { prot: number; readonly words: Map<number, number> } | null;

const PAGE = 4096;
const ARENA = 2 ** 32;
const PROTECTIONS = [PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE];
const MOVE: number = MREMAP_MAYMOVE | MREMAP_FIXED;
const PRIVATE: number = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
/** Words used in a page: few, so that most loads find a word that was stored. */
const WORDS = 16;

/** Pages [first, first + count) of the arena, and the way into the kernel. */
interface Target {
  readonly first: number;
  readonly count: number;
  readonly address: number;
  readonly length: number;
  /** Answers now or later. */
  readonly kernel: Pick<SyncSyscalls, 'mmap' | 'munmap' | 'mprotect' | 'madvise' | 'mremap'>;
}

/** The access's result, or the code of its fault. */
function attempt(access: () => number | void): number | string | void {
  try {
    return access();
  } catch (error) {
    if (error instanceof MemoryFault) return error.code;
    throw error;
  }
}

export class Arena {
  /** Calls that failed for want of memory. */
  refused = 0;
  readonly model: PageModel[];
  readonly #proc: Proc;
  readonly #random: (bound: number) => number;

  constructor(proc: Proc, random: (bound: number) => number, model: PageModel[]) {
    this.#proc = proc;
    this.#random = random;
    this.model = model;
  }

  /** One call, or accesses to some pages. A complaint when the machine and the model disagree. */
  async round(): Promise<string | null> {
    const random = this.#random;
    const { length: pages } = this.model;
    const first = random(pages);
    const count = 1 + random(Math.min(Math.max(8, pages >> 4), pages - first));
    const { local, sync } = this.#proc;
    // A caller that awaits either cannot tell them apart.
    const later = this.#proc as unknown as SyncSyscalls;
    const kernel = [local, sync, later][random(3)] ?? local;
    const kind = random(24);
    if (kind < 8) {
      const [address, length] = [ARENA + first * PAGE, count * PAGE];
      await this.#call(kind, { first, count, address, length, kernel });
      return null;
    }
    return kind === 8 ? this.#check(first, count) : this.#touch(first, count);
  }

  async #call(kind: number, target: Target): Promise<void> {
    const { first, count, address, length, kernel } = target;
    const prot = PROTECTIONS[this.#random(PROTECTIONS.length)] ?? PROT_NONE;
    const pages = this.model.slice(first, first + count);
    if (kind <= 2) {
      if (await this.#try(target, () => kernel.mmap(address, length, prot, PRIVATE))) {
        this.#set(first, (): PageModel => ({ prot, words: new Map() }), count);
      }
    } else if (kind <= 4) {
      if (await this.#try(target, () => kernel.munmap(address, length))) {
        this.#set(first, () => null, count);
      }
    } else if (pages.includes(null)) {
      return;
    } else if (kind === 5) {
      if (await this.#try(target, () => kernel.mprotect(address, length, prot))) {
        for (const page of pages) if (page !== null) page.prot = prot;
      }
    } else if (kind === 6) {
      if (await this.#try(target, () => kernel.madvise(address, length, MADV_DONTNEED))) {
        for (const page of pages) page?.words.clear();
      }
    } else {
      await this.#move(target, pages);
    }
  }

  async #move(target: Target, pages: readonly PageModel[]): Promise<void> {
    const { first, count, address, length, kernel } = target;
    const to = this.#random(this.model.length - count + 1);
    if (Math.abs(to - first) < count) return;
    const at = ARENA + to * PAGE;
    if (await this.#try(target, () => kernel.mremap(address, length, length, MOVE, at), to)) {
      this.#set(first, () => null, count);
      this.#set(to, (i) => pages[i] ?? null, count);
    }
  }

  #set(first: number, page: (index: number) => PageModel, count: number): void {
    for (let i = 0; i < count; i++) this.model[first + i] = page(i);
  }

  /** A call; when memory is short, the ranges it worked on are unmapped instead: then false. */
  async #try(target: Target, call: () => number, other?: number): Promise<boolean> {
    if (await succeeds(call)) return true;
    this.refused++;
    for (const first of other === undefined ? [target.first] : [target.first, other]) {
      const unmap = (): number => this.#proc.local.munmap(ARENA + first * PAGE, target.length);
      while (!(await succeeds(unmap))) await this.#proc.nanosleep(1e6);
      this.#set(first, () => null, target.count);
    }
    return false;
  }

  /** One access to each of the pages. */
  #touch(first: number, count: number): string | null {
    for (let index = first; index < first + count; index++) {
      const complaint = this.#touchPage(index);
      if (complaint !== null) return complaint;
    }
    return null;
  }

  #touchPage(index: number): string | null {
    const { mem } = this.#proc;
    const page = this.model[index] ?? null;
    const word = this.#random(WORDS) * (PAGE / WORDS);
    const address = ARENA + index * PAGE + word;
    const isWrite = this.#random(2) === 0;
    const value = this.#random(2 ** 31);
    const needed = isWrite ? PROT_WRITE : PROT_READ;

    let expected: number | string | undefined;
    if (page === null) expected = 'SEGV_MAPERR';
    else if ((page.prot & needed) === 0) expected = 'SEGV_ACCERR';
    else if (isWrite) page.words.set(word, value);
    else expected = page.words.get(word) ?? 0;

    const found = attempt(() => (isWrite ? mem.store32(address, value) : mem.load32(address)));
    if (found === expected) return null;
    const access = `${isWrite ? 'store to' : 'load from'} 0x${address.toString(16)}`;
    return `${access}: expected ${expected ?? 'success'}, got ${found ?? 'success'}`;
  }

  /** Looks at every word of the pages that can be read. */
  #check(first: number, count: number): string | null {
    for (let index = first; index < first + count; index++) {
      const page = this.model[index] ?? null;
      if (page === null || (page.prot & PROT_READ) === 0) continue;
      for (let word = 0; word < PAGE; word += PAGE / WORDS) {
        const expected = page.words.get(word) ?? 0;
        const found = this.#proc.mem.load32(ARENA + index * PAGE + word);
        if (found === expected) continue;
        return `page ${index} has ${found} at ${word}, not ${expected}`;
      }
    }
    return null;
  }
}
