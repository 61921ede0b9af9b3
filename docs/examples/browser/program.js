/**
 * A program that imports nothing: bundlers copy the file of `new URL('./program.js',
 * import.meta.url)` as it is, so the name 'faultline/program' would mean nothing in the page.
 */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

export default async function program(proc, value) {
  const at = await proc.mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  proc.mem.store32(at, 2 * value);
  proc.print(`the answer is ${proc.mem.load32(at)}`);
  return 0;
}
