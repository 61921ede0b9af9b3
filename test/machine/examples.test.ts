/** The examples of docs/ do what their pages say. */
import { describe, expect, it } from 'vitest';

import { faultline } from '../support/command.ts';

describe('docs/examples/split-protocol.ts', () => {
  it('carries a machine through grind with a clean audit', async () => {
    const protocol = 'docs/examples/split-protocol.ts';
    const run = await faultline('run', 'grind', '--protocol', protocol, '--checked', '--json');
    expect(run.status).toBe(0);
    const document = JSON.parse(run.stdout) as {
      machine: { protocol: string };
      audit: { clean: boolean };
    };
    expect(document.machine.protocol).toBe('split');
    expect(document.audit.clean).toBe(true);
  });
});

describe('docs/examples/hot-and-cold.ts', () => {
  it('waits for its scan alone, where the policy keeps what is used', async () => {
    const reads = async (reclaim: string): Promise<number> => {
      const program = 'docs/examples/hot-and-cold.ts';
      const run = await faultline('run', program, '--memory=2MiB', '--reclaim', reclaim, '--json');
      expect(run.status).toBe(0);
      const document = JSON.parse(run.stdout) as {
        machine: { counters: Record<string, number> };
        audit: { clean: boolean };
      };
      expect(document.audit.clean).toBe(true);
      return document.machine.counters['swapIns'] ?? 0;
    };
    const [clock, fifo] = [await reads('clock'), await reads('fifo')];
    const aging = await reads('docs/examples/aging-policy.ts');
    expect(clock).toBeLessThan(10_000);
    expect(aging).toBeLessThan(10_000);
    expect(fifo).toBeGreaterThan(1.5 * clock);
  });
});
