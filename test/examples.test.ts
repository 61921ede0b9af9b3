/** The examples of docs/ do what their pages say. */
import { describe, expect, it } from 'vitest';

import { faultline } from './command.ts';

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
