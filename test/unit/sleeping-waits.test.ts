/*
 * Goal: a wait in which a Worker sleeps is refused exactly if only Workers that sleep in such waits
 * could end it. Method: the rule alone, on who waits for what and which CPU it runs on.
 */
import { describe, expect, it } from 'vitest';

import { canWaitEnd } from '../../workers/kernel/processes/sleeping-waits.ts';

/** By sleeping CPU: the CPUs of the children that it waits for. */
type Waits = Readonly<Record<number, readonly number[]>>;

/** Whether the wait in which `cpu` sleeps can end. */
function canEnd(cpu: number, waits: Waits): boolean {
  const sleeping = new Map(
    Object.keys(waits).map((key) => [Number(key), { caller: Number(key), child: null }]),
  );
  const wait = sleeping.get(cpu);
  if (wait === undefined) throw new Error(`CPU ${cpu} does not wait`);
  return canWaitEnd(wait, sleeping, ({ caller }) => waits[caller] ?? []);
}

describe('a wait in which a Worker sleeps', () => {
  it('can end if a child runs on another one', () => {
    expect(canEnd(1, { 1: [2] })).toBe(true);
    expect(canEnd(1, { 1: [1, 2] })).toBe(true);
  });

  it('cannot if all run on its own', () => {
    expect(canEnd(1, { 1: [1, 1] })).toBe(false);
    expect(canEnd(1, { 1: [] })).toBe(false);
  });

  it('can by way of others that sleep and whose waits can', () => {
    expect(canEnd(1, { 1: [2], 2: [3], 3: [1, 4] })).toBe(true);
  });

  it('cannot in a ring', () => {
    expect(canEnd(1, { 1: [2], 2: [1] })).toBe(false);
    expect(canEnd(3, { 1: [2], 2: [3], 3: [1, 2] })).toBe(false);
  });
});
