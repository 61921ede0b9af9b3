/** How operations are called in stories: 'write 7 to page 0', 'munmap pages 0 to 2'. */
import * as M from '../../../shared/abi/mman.ts';

const ADVICE: Readonly<Record<number, string>> = {
  [M.MADV_WILLNEED]: 'MADV_WILLNEED',
  [M.MADV_DONTNEED]: 'MADV_DONTNEED',
  [M.MADV_FREE]: 'MADV_FREE',
  [M.MADV_DONTFORK]: 'MADV_DONTFORK',
  [M.MADV_WIPEONFORK]: 'MADV_WIPEONFORK',
  [M.MADV_COLD]: 'MADV_COLD',
  [M.MADV_PAGEOUT]: 'MADV_PAGEOUT',
  [M.MADV_POPULATE_READ]: 'MADV_POPULATE_READ',
  [M.MADV_POPULATE_WRITE]: 'MADV_POPULATE_WRITE',
  [M.MADV_GUARD_INSTALL]: 'MADV_GUARD_INSTALL',
  [M.MADV_GUARD_REMOVE]: 'MADV_GUARD_REMOVE',
};

/** 'page 3', or 'pages 0 to 2'. */
export function pagesText(first: number, pages: number): string {
  return pages === 1 ? `page ${first}` : `pages ${first} to ${first + pages - 1}`;
}

/** PROT_ flags in words. */
export function rightsText(prot: number): string {
  const rights = [
    (prot & M.PROT_READ) !== 0 ? 'read' : '',
    (prot & M.PROT_WRITE) !== 0 ? 'write' : '',
    (prot & M.PROT_EXEC) !== 0 ? 'execute' : '',
  ].filter((right) => right !== '');
  if (rights.length === 0) return 'no access';
  return rights.length === 1 ? `${rights[0]} only` : rights.join('/');
}

/** A MADV_ constant's name. */
export function adviceName(advice: number): string {
  return ADVICE[advice] ?? `advice ${advice}`;
}
