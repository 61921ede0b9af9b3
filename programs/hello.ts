/**
 * The smallest program that uses the machine: it reserves a page, faults it in by writing a
 * greeting, and prints what memory holds.
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
} from '../workers/program.ts';
import type { Program } from '../workers/program.ts';

const PAGE = 4096;

const hello: Program = defineProgram(async (proc) => {
  const { mem } = proc;
  const greeting = new TextEncoder().encode(`Hello from process ${proc.pid} on CPU ${proc.cpu}!`);

  // mmap only reserves: no frame is allocated here.
  const page = await proc.mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  // The first store faults; the kernel finds a zeroed frame, and the store goes through.
  mem.write(page, greeting);

  proc.print(new TextDecoder().decode(mem.read(page, greeting.length)));
  await proc.munmap(page, PAGE);
  return 0;
});

export default hello;
