/**
 * Goal: a thread that ends leaves the TLB to another one of its address space that is live on the
 * same CPU. Method: a CPU's user mode, driven by hand.
 */
import { expect, it } from 'vitest';
import { attachCpu, formatMachine, protocolNamed, startCpu } from '../../kernel/index.ts';
import { UserMode } from '../../workers/cpu/memory/user-mode.ts';

it('keeps the TLB for the thread that is live when another one ends', () => {
  const machine = formatMachine({ frames: 256, cpus: 1, protocol: protocolNamed('rcu')! });
  const cpu = attachCpu(machine, 0);
  startCpu(cpu);
  const mode = new UserMode(cpu, () => {});
  const context = (space: number) => ({ space, goLive: () => {}, goDark: () => {} });
  // Only the number of a space matters here.
  const space = machine.frameBase;
  const [live, ended, other] = [context(space), context(space), context(space + 128)];
  mode.enter(live);
  mode.forget(ended);
  expect(mode.isLive(live)).toBe(true);
  expect(cpu.tlb.space).toBe(space);
  mode.forget(other);
  expect(cpu.tlb.space).toBe(space);
  mode.forget(live);
  expect([mode.isLive(live), cpu.tlb.space]).toEqual([false, 0]);
});
