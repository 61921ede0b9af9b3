/** Bugs of Linux. */
import type { Exhibit } from './exhibit.ts';

const COMMIT = 'https://git.kernel.org/linus/';
const CVE = 'https://nvd.nist.gov/vuln/detail/';

export const LINUX_EXHIBITS: readonly Exhibit[] = [
  {
    name: 'dirty-cow',
    original: 'CVE-2016-5195, Dirty COW (Linux 2.6.22 to 4.8)',
    wrong:
      'A write through /proc/self/mem to a read-only private mapping is forced: the first ' +
      'pass of get_user_pages breaks copy-on-write, and then drops FOLL_WRITE, because the ' +
      "page is the process's own by now. If another thread calls madvise(MADV_DONTNEED) " +
      'between the two passes, the next one looks for a page to read, and finds that of the ' +
      'file.',
    fixed:
      'FOLL_WRITE stays. A flag FOLL_COW says that copy-on-write was broken, and the page ' +
      'counts as writable only if its entry is dirty as well.',
    here:
      'mmu/forced-copy.ts judges each entry that it finds. The mutant remembers that it has ' +
      'made a copy, and takes any page after that.',
    mutant: 'forced-write-remembered',
    sources: [`${CVE}CVE-2016-5195`, `${COMMIT}19be0eaffa3a`, 'https://dirtycow.ninja'],
  },
  {
    name: 'mremap-tlb',
    original: 'CVE-2018-18281 (Linux 3.2 to 4.19)',
    wrong:
      'mremap moves entries from one page table to another, and flushes the TLB after it ' +
      'has released the locks of both. In between, ftruncate or munmap removes the page at ' +
      'its new address: it flushes that address, and frees the page. The old address still ' +
      'leads to it.',
    fixed: 'The flush comes before the locks are released.',
    here:
      'paging/move-range.ts notes each moved page for the flush that ends the operation. ' +
      'The mutant does not: the old address is flushed not late but never.',
    mutant: 'mremap-no-flush',
    sources: [`${CVE}CVE-2018-18281`, `${COMMIT}eb66ae030829`],
  },
  {
    name: 'truncate-munmap',
    original: 'CVE-2022-39188 (Linux before 5.19)',
    wrong:
      'munmap takes the mapping out of the list by which a file finds its mappings, and ' +
      'flushes later. unmap_mapping_range, which a driver or a truncation calls, finds no ' +
      'mapping in that list, returns at once, and its caller frees pages that a TLB still ' +
      'leads to.',
    fixed: 'Mappings of such pages are flushed before they leave the list.',
    here:
      'A mapping record keeps its reference until the flush (closeRange). The mutant drops ' +
      'it with the area. This kernel had that very bug: see bugs-found.md.',
    mutant: 'record-before-flush',
    sources: [
      `${CVE}CVE-2022-39188`,
      `${COMMIT}b67fbebd4cf9`,
      'https://github.com/Freescale/linux-fslc/pull/803',
    ],
  },
  {
    name: 'pinned-cow',
    original: 'CVE-2020-29374 (Linux before 5.7.3)',
    wrong:
      'A child pins a page for reading that it shares with its parent (vmsplice), and ' +
      'unmaps it. The parent writes: its entry is the only one left, so it takes the page ' +
      'over in place. What it writes can be read through the pin.',
    fixed:
      'A pin for reading breaks copy-on-write as one for writing does (later: a page that ' +
      "is not exclusively the process's is unshared first).",
    here: 'mmu/pin.ts pins only pages that nobody else has. The mutant pins what it finds.',
    mutant: 'pinned-while-shared',
    sources: [`${CVE}CVE-2020-29374`, `${COMMIT}17839856fd58`],
  },
  {
    name: 'pinned-fork',
    original: 'fork and pinned pages (Linux before 5.9)',
    wrong:
      'fork marks a pinned page copy-on-write like any other. The next write of the parent ' +
      'copies it, and parent and device go on with different pages: data that the device ' +
      'stores is lost.',
    fixed: 'fork copies pinned pages at once, for the child.',
    here: 'lifecycle/fork.ts does the same. The mutant shares the page.',
    mutant: 'fork-shares-pinned',
    sources: [`${COMMIT}70e806e4e645`],
  },
  {
    name: 'stackrot',
    original: 'CVE-2023-3269, StackRot (Linux 6.1 to 6.4)',
    wrong:
      'The areas of a process are in a tree that readers may search while a stack grows, ' +
      'under the same read lock. Growth can replace a node of the tree, and free the old ' +
      'one without waiting for those who are searching it.',
    fixed: 'A stack grows under the write lock; nodes are freed after a grace period.',
    here:
      'Under `vma` a fault searches the areas without a lock, so frames of area nodes wait ' +
      'for a grace period. The mutant frees them at once. Here munmap frees the node, not ' +
      'growth.',
    mutant: 'area-freed-at-once',
    sources: [
      `${CVE}CVE-2023-3269`,
      'https://github.com/lrh2000/StackRot',
      `${COMMIT}9471f1f2f502`,
    ],
  },
  {
    name: 'late-reclaim-flush',
    original: 'reclaim against mprotect (Linux 4.3 to 4.12)',
    wrong:
      'Reclaim batches TLB flushes: it clears an entry, releases its lock, and flushes many ' +
      'pages later. mprotect or munmap of the same page finds nothing to do, and returns. ' +
      'The page can still be written through a TLB, until the batch is flushed.',
    fixed: 'mprotect and others flush if a batch may be pending for the address space.',
    here: 'The mutant of reclaim/evict.ts releases the locks, and takes them again to flush.',
    mutant: 'evict-late-flush',
    sources: [`${COMMIT}3ea277194dae`],
  },
  {
    name: 'munmap-growth',
    original: 'CVE-2020-29369 (Linux 4.20 to 5.7)',
    wrong:
      'munmap detaches the areas, downgrades its write lock to a read lock, and frees page ' +
      'tables up to the neighbouring areas. Under the read lock a neighbour that is a stack ' +
      'grows into that range, and gets pages in a table that munmap then frees.',
    fixed: 'The lock is not downgraded beside an area that can grow.',
    here:
      'The mutant of munmap looks for the neighbours, and gives up the lock before it uses ' +
      'the answer.',
    mutant: 'munmap-bounds-early',
    sources: [`${CVE}CVE-2020-29369`, `${COMMIT}246c320a8cfe`],
  },
  {
    name: 'futex-requeue',
    original: 'CVE-2014-3153, Towelroot (Linux before 3.14.6)',
    wrong:
      'FUTEX_CMP_REQUEUE_PI could move a waiter onto the futex that it was waiting for. The ' +
      'state of the waiter, which lies on its kernel stack, was then cleaned up for another ' +
      'queue than the one it was in: it returned, and stayed in a list.',
    fixed:
      'A requeue of a futex to itself is refused, and the state is checked before it is ' +
      'trusted.',
    here:
      'There are no priorities here, but the same requeue. A waiter that gives up finds its ' +
      'queue, locks it, and looks again whether it was moved. The mutant does not look ' +
      'again, so that a freed waiter stays in a queue.',
    mutant: 'requeue-left-behind',
    sources: [`${CVE}CVE-2014-3153`, `${COMMIT}e9c243a5a6de`],
  },
];
