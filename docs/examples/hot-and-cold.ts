/**
 * What tells reclaim policies apart (docs/swap.md): 250 hot pages that are used all the time, and
 * 2,000 cold ones that a scan passes over again and again. Memory for 500 pages is enough for who
 * keeps the hot ones; then only the scan waits.
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
  type Program,
} from 'faultline/program';

const PAGE = 4096;
const HOT = 250;
const COLD = 2000;
const SCANS = 4;

const hotAndCold: Program = defineProgram(async (proc) => {
  const size = (HOT + COLD) * PAGE;
  const at = await proc.mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  const cold = at + HOT * PAGE;
  for (let scan = 0; scan < SCANS; scan++) {
    for (let page = 0; page < COLD; page++) {
      proc.mem.atomicAdd32(cold + page * PAGE, 1);
      // Eight hot pages for each cold one.
      for (let i = 0; i < 8; i++) proc.mem.atomicAdd32(at + ((8 * page + i) % HOT) * PAGE, 1);
    }
  }
  for (let page = 0; page < COLD; page++) {
    if (proc.mem.load32(cold + page * PAGE) !== SCANS) return 1;
  }
  return 0;
});

export default hotAndCold;
