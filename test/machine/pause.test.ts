/**
 * Goal: a paused machine stands still, and goes on as if nothing had been. Method: programs that
 * store all the time, and the machine's whole memory, read twice while it is paused.
 */
import { boot } from 'faultline';
import type { MachineHandle } from 'faultline';
import { afterEach, expect, it } from 'vitest';

/** Counts in its memory; ends when the word behind the count is set. */
const counting = `data:text/javascript,
export default async (proc) => {
  const at = await proc.mmap(0, 4096, 3, 0x22);
  for (let n = 1; n < 3e9; n++) {
    proc.mem.store32(at, n);
    if (n % 100000 === 0) await proc.nanosleep(1);
  }
}`;

let machine: MachineHandle | null = null;

afterEach(async () => machine?.shutdown());

/** A number that changes when any word does. */
function sumOf({ buffer }: MachineHandle): number {
  return new Int32Array(buffer).reduce((sum, word) => (Math.imul(sum, 31) + word) | 0, 0);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('stops all CPUs until it is resumed, again and again', async () => {
  machine = await boot({ memory: '1MiB', cpus: 2, checked: true });
  const children = [await machine.spawn(counting), await machine.spawn(counting)];
  await sleep(100);
  for (let round = 0; round < 3; round++) {
    await machine.pause();
    let before = NaN;
    // A call that has just ended is still counted.
    await expect.poll(() => before === (before = sumOf(machine!)), { interval: 20 }).toBe(true);
    await sleep(20);
    expect(sumOf(machine)).toBe(before);
    machine.resume();
    await expect.poll(() => sumOf(machine!)).not.toBe(before);
  }
  for (const child of children) await child.kill();
  expect(await machine.audit()).toMatchObject({ clean: true, violations: [] });
});

it('keeps calls waiting, and ends with a shutdown', async () => {
  machine = await boot({ memory: '1MiB', cpus: 1 });
  await machine.pause();
  let answered = false;
  const stats = machine.stats().then(() => (answered = true));
  await sleep(50);
  expect(answered).toBe(false);
  machine.resume();
  machine.resume();
  await stats;
  await machine.pause();
  await machine.shutdown();
  await expect(machine.pause()).rejects.toThrow('shut down');
});
