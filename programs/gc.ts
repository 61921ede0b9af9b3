/**
 * A write barrier made of page protection, as generational garbage collectors use it. The heap is
 * write-protected at the start of each cycle; the first store to a page faults, the SIGSEGV handler
 * marks that page's card and makes the page writable, and the store is retried. At the end of
 * the cycle the collector scans the marked pages alone. The program keeps its own list of the
 * pages it wrote: the cards must equal it, and the totals of a partial scan those of a full one.
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from '../workers/program.ts';
import type { FaultInfo, Proc, Program } from '../workers/program.ts';

interface Options {
  /** Pages of the heap, 1 to 16384. */
  readonly pages?: number;
  /** Collections, 1 to 1000. */
  readonly cycles?: number;
  /** Stores between two collections, 0 to 1000000. */
  readonly writes?: number;
}

const PAGE = 4096;
const WORDS = PAGE / 4;

function makeRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Stands for marking: what the collector learns from a page by reading all of it. */
function scanPage(proc: Proc, address: number): number {
  const words = new Int32Array(proc.mem.read(address, PAGE).buffer);
  return words.reduce((sum, word) => (sum + word) | 0, 0);
}

function isSameSet(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((page) => b.has(page));
}

async function collect(proc: Proc, options: Options): Promise<number> {
  const { pages = 64, cycles = 8, writes = 200 } = options;
  const { mem } = proc;
  const random = makeRandom(proc.seed);
  const bytes = pages * PAGE;
  const heap = await proc.mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  const pageSums: number[] = new Array<number>(pages).fill(0);

  const cards = new Set<number>();
  let barriers = 0;
  proc.sigaction('SIGSEGV', (fault: FaultInfo) => {
    const page = Math.floor((fault.address - heap) / PAGE);
    const isBarrier = fault.code === 'SEGV_ACCERR' && page >= 0 && page < pages;
    // Any other fault is a mistake of the program; throwing lets it end as it would have.
    if (!isBarrier) throw new Error(`stray ${fault.access} of 0x${fault.address.toString(16)}`);
    cards.add(page);
    barriers++;
    // The handler is synchronous, so the call is made on this CPU, without a message.
    proc.local.mprotect(heap + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
  });

  let scanned = 0;
  for (let cycle = 1; cycle <= cycles; cycle++) {
    await proc.mprotect(heap, bytes, PROT_READ);
    cards.clear();
    barriers = 0;

    const written = new Set<number>();
    for (let i = 0; i < writes; i++) {
      // Half of the stores go to the youngest eighth of the heap, as in real programs.
      const page = random(2) === 0 ? random(Math.ceil(pages / 8)) : random(pages);
      mem.store32(heap + page * PAGE + random(WORDS) * 4, random(2 ** 31));
      written.add(page);
    }

    if (!isSameSet(cards, written) || barriers !== written.size) {
      const marked = `${cards.size} cards after ${barriers} barriers`;
      proc.print(`gc: cycle ${cycle}: ${marked}, but ${written.size} pages were written`);
      return 1;
    }
    for (const page of cards) pageSums[page] = scanPage(proc, heap + page * PAGE);
    scanned += cards.size;
    const wrong = pageSums.findIndex((sum, page) => sum !== scanPage(proc, heap + page * PAGE));
    if (wrong >= 0) {
      proc.print(`gc: cycle ${cycle}: page ${wrong} changed without a card`);
      return 1;
    }
  }
  proc.sigaction('SIGSEGV', null);
  const noun = cycles === 1 ? 'cycle' : 'cycles';
  proc.print(`${cycles} ${noun}, ${scanned} of ${cycles * pages} pages scanned, all cards right`);
  return 0;
}

const gc: Program = defineProgram((proc, options: Options = {}) => collect(proc, options));

export default gc;
