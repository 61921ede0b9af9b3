/**
 * A producer, stages and a consumer, each a process of its own, joined by bounded queues in shared
 * memory that block by futexes. The producer makes pseudo-random values; each stage mixes its
 * number into every value; the consumer sums them up. The sum is checked against the same
 * computation without any queue.
 */
import {
  BoundedQueue,
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  defineProgram,
  queueBytes,
} from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

const PAGE_SIZE = 4096;

interface Options {
  /** Values that go through. */
  readonly items?: number;
  /** Processes between producer and consumer. */
  readonly stages?: number;
  /** Values that a queue holds: a power of two. */
  readonly capacity?: number;
}

interface Plan {
  readonly items: number;
  readonly stages: number;
  readonly capacity: number;
  /** Of the first queue; the others follow, `pitch` bytes apart. */
  readonly address: number;
  readonly pitch: number;
  readonly seed: number;
}

/** One step of xorshift32: never 0 for a seed other than 0. */
function next(state: number): number {
  let value = state;
  value ^= value << 13;
  value ^= value >>> 17;
  return value ^ (value << 5);
}

function mix(value: number, stage: number): number {
  return Math.imul(value ^ stage, 0x9e3779b1) + stage;
}

function queueOf(proc: Proc, plan: Plan, index: number): BoundedQueue {
  return new BoundedQueue(proc, plan.address + index * plan.pitch, plan.capacity);
}

export async function producer(proc: Proc, plan: Plan): Promise<number> {
  const out = queueOf(proc, plan, 0);
  let value = plan.seed;
  for (let i = 0; i < plan.items; i++) {
    value = next(value);
    if (!(await out.push(value))) return 1;
  }
  await out.close();
  return 0;
}

export async function stage(proc: Proc, plan: Plan, index: number): Promise<number> {
  const from = queueOf(proc, plan, index);
  const to = queueOf(proc, plan, index + 1);
  for (let value = await from.pop(); value !== null; value = await from.pop()) {
    if (!(await to.push(mix(value, index + 1)))) return 1;
  }
  await to.close();
  return 0;
}

/** What should come out at the end: the count and the sum. */
function expectedSum(plan: Plan): number {
  let sum = 0;
  let state = plan.seed;
  for (let i = 0; i < plan.items; i++) {
    state = next(state);
    let value = state;
    for (let index = 0; index < plan.stages; index++) value = mix(value, index + 1) | 0;
    sum = (sum + value) | 0;
  }
  return sum;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const main: Program = defineProgram(async (proc, options: Options = {}) => {
  const { items = 20_000, stages = 2, capacity = 64 } = options;
  const pitch = Math.ceil(queueBytes(capacity) / PAGE_SIZE) * PAGE_SIZE;
  const bytes = (stages + 1) * pitch;
  const flags = MAP_SHARED | MAP_ANONYMOUS;
  const address = await proc.mmap(0, bytes, PROT_READ | PROT_WRITE, flags);
  const plan = { items, stages, capacity, address, pitch, seed: proc.seed | 1 };
  const pids = [await proc.fork('producer', plan)];
  for (let index = 0; index < stages; index++) pids.push(await proc.fork('stage', plan, index));
  const last = queueOf(proc, plan, stages);
  let count = 0;
  let sum = 0;
  for (let value = await last.pop(); value !== null; value = await last.pop()) {
    count++;
    sum = (sum + value) | 0;
  }
  let failed = 0;
  for (const pid of pids) {
    const { waitStatus } = await proc.wait(pid);
    if (waitStatus !== 0) failed++;
  }
  const expected = expectedSum(plan);
  const isRight = count === items && sum === expected && failed === 0;
  const checksum = (sum >>> 0).toString(16).padStart(8, '0');
  const what = `${counted(count, 'item')} through ${counted(stages, 'stage')}`;
  proc.print(`${what}, checksum ${checksum}`);
  if (!isRight) proc.print(`wrong: expected ${items} items, ${(expected >>> 0).toString(16)}`);
  return isRight ? 0 : 1;
});

export default main;
