/**
 * Multiplies two square matrices with several processes. A, B and the result C lie in one shared
 * anonymous mapping; each child computes a block of rows of C, element by element through the MMU.
 * The parent checks the result by Freivalds' method: C·x must equal A·(B·x) for a random vector x.
 * All elements are small integers, so that doubles hold every sum exactly.
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from '../workers/program.ts';
import type { Memory, Proc, Program } from '../workers/program.ts';

interface Options {
  /** Rows and columns, 1 to 1024. */
  readonly size?: number;
  /** 1 to 64. */
  readonly processes?: number;
}

/** The rows that a child computes; the addresses are those of the inherited mapping. */
interface Block {
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly firstRow: number;
  readonly endRow: number;
}

const ELEMENT = 8;

/** Integers in [0, 16), the same for the same seed (Numerical Recipes' linear congruence). */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 28;
  };
}

function multiplyRows({ mem }: Proc, { size, a, b, c, firstRow, endRow }: Block): number {
  for (let row = firstRow; row < endRow; row++) {
    for (let column = 0; column < size; column++) {
      let sum = 0;
      let left = a + row * size * ELEMENT;
      let right = b + column * ELEMENT;
      for (let k = 0; k < size; k++) {
        sum += mem.loadF64(left) * mem.loadF64(right);
        left += ELEMENT;
        right += size * ELEMENT;
      }
      mem.storeF64(c + (row * size + column) * ELEMENT, sum);
    }
  }
  return 0;
}

/** Matrix times vector. */
function apply(mem: Memory, matrix: number, vector: readonly number[]): number[] {
  const size = vector.length;
  return vector.map((_, row) => {
    const address = matrix + row * size * ELEMENT;
    return vector.reduce((sum, x, k) => sum + mem.loadF64(address + k * ELEMENT) * x, 0);
  });
}

async function multiply(proc: Proc, { size = 96, processes = 4 }: Options): Promise<number> {
  const { mem } = proc;
  const bytes = size * size * ELEMENT;
  const a = await proc.mmap(0, 3 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
  const b = a + bytes;
  const c = b + bytes;
  const random = makeRandom(proc.seed);
  for (let at = a; at < c; at += ELEMENT) mem.storeF64(at, random());

  const pids: number[] = [];
  for (let i = 0; i < processes; i++) {
    const firstRow = Math.floor((size * i) / processes);
    const endRow = Math.floor((size * (i + 1)) / processes);
    const block: Block = { size, a, b, c, firstRow, endRow };
    const name = `matmul/${i + 1}`;
    pids.push(await proc.spawn(import.meta.url, { args: [block], inherit: true, name }));
  }
  for (const pid of pids) await proc.wait(pid);

  // A child that died left rows undone, and the check finds them.
  const x = Array.from({ length: size }, random);
  const expected = apply(mem, a, apply(mem, b, x));
  const found = apply(mem, c, x);
  const wrongRow = found.findIndex((value, row) => value !== expected[row]);
  if (wrongRow >= 0) {
    const values = `C·x is ${found[wrongRow]}, A·(B·x) is ${expected[wrongRow]}`;
    proc.print(`matmul: row ${wrongRow} is wrong: ${values}`);
    return 1;
  }
  const checksum = found.reduce((sum, value) => sum + value, 0);
  proc.print(`${size}x${size} product is right, checksum ${checksum}`);
  return 0;
}

const matmul: Program = defineProgram((proc, job: Options | Block) =>
  'firstRow' in job ? multiplyRows(proc, job) : multiply(proc, job),
);

export default matmul;
