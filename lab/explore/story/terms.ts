/** Terms that stories use, and what they mean: the glossary of each story, as docs/glossary.md. */

type Term = readonly [name: string, when: RegExp, meaning: string];

const TERMS: readonly Term[] = [
  ['frame', /\bframes?\b/, '4,096 bytes of memory that can be behind a page'],
  ['entry', /\bentry\b/, "the page table's word that says which frame is behind a page"],
  [
    'TLB',
    /\bTLB\b(?! gen)/,
    "a CPU's own copies of entries, which must be flushed when they change",
  ],
  [
    'TLB generation',
    /TLB generation/,
    'a counter that each removal of an entry advances; a CPU that has an older one must flush',
  ],
  ['accessed, dirty', /accessed|dirty/, 'the MMU has seen a read, a write through the entry'],
  [
    'copy-on-write',
    /copy-on-write/,
    'the first store copies the frame, which is shared until then',
  ],
  ['anonymous', /anonymous/, 'memory without a file: a frame of zeroes comes at the first touch'],
  ['zero page', /zero page/, 'the one frame of zeroes behind every page that was only read'],
  ['object', /\bobject \d/, 'a file, or memory that is shared'],
  ['swap slot', /swap slot/, 'where a page is that was written to the swap store'],
  ['user mode, kernel mode', /user mode|enters the kernel/, 'the CPU runs the program, the kernel'],
  ['SIGSEGV', /SIGSEGV/, 'the signal for an access that no area permits'],
  [
    'RCU epoch',
    /RCU epoch/,
    'by it the kernel knows when nobody can use an unlinked table any more',
  ],
  ['level', /which is not linked|table \d/, 'page tables are a tree of three levels'],
  ['lazy TLB generation', /lazy TLB/, 'as the TLB generation, but nobody waits: CPUs sweep later'],
];

/** The terms that occur in a text. */
export function termsIn(text: string): [string, string][] {
  return TERMS.filter(([, when]) => when.test(text)).map(([name, , meaning]) => [name, meaning]);
}

/** The names of all terms, for the check against the document. */
export function termNames(): string[] {
  return TERMS.map(([name]) => name);
}
