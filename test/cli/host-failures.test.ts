/*
 * Goal: what fails on the host (disk, temporary folder, address space) is one line that says so.
 * Method: the built command in a shell that takes it away.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const command = fileURLToPath(new URL('../../dist/faultline.js', import.meta.url));

/** Runs a shell command in which $F is the command. */
function shell(text: string): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, F: `${process.execPath} ${command}` };
  return spawnSync('sh', ['-c', text], { env, encoding: 'utf8', timeout: 60_000 });
}

describe.runIf(process.platform === 'linux')('a host that fails', () => {
  it('has no room for the output', () => {
    const { status, stderr } = shell('$F run hello > /dev/full');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^faultline: standard output cannot be written: ENOSPC[^\n]*\n$/);
  });

  it('has too little address space for the engine', () => {
    const { status, stderr } = shell('ulimit -v 2500000; $F run hello');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^faultline: the limit on address space is 2442 MiB, [^\n]*\n$/);
  });

  it('lacks the temporary folder, which nothing needs before a page is swapped', () => {
    const { status, stderr } = shell('TMPDIR=/nonexistent $F run hello');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('a failure on purpose', () => {
  it('spares the boot, and is named when it hits the program', () => {
    const files = '--file a=package.json --file b=README.md';
    const { status, stderr } = shell(`$F run hello --inject frame=100% ${files}`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^faultline: spawn: ENOMEM, [^\n]*injected, frame \d of \d failed/);
  });
});
