/**
 * Goal: a search that was killed goes on where it was, and ends with the same report.
 * Method: kill -9 after the first lines, a torn line at the end, another kernel's file.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { faultline } from '../support/command.ts';

const COMMAND = fileURLToPath(new URL('../../dist/faultline.js', import.meta.url));
const ASKED = ['shootdown-user', 'fault-munmap', 'lock', 'munmap-munmap', '--bound', '2'];
const folder = mkdtempSync(join(tmpdir(), 'faultline-resume-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function withoutTimes(stdout: string): unknown {
  const reports = JSON.parse(stdout) as { elapsedMs: number }[];
  return reports.map((report) => ({ ...report, elapsedMs: 0 }));
}

function linesOf(path: string): number {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

/** Explores into a file, and is killed once that has `lines` lines. */
async function killedAfter(path: string, lines: number): Promise<void> {
  const child = spawn(process.execPath, [COMMAND, 'explore', ...ASKED, '--jsonl', path]);
  const isOver = new Promise((resolve) => child.on('close', resolve));
  const watch = setInterval(() => {
    if (linesOf(path) >= lines) child.kill('SIGKILL');
  }, 2);
  await isOver;
  clearInterval(watch);
}

describe('explore --resume', () => {
  it('ends with the report of a run that was not killed', async () => {
    const path = join(folder, 'killed.jsonl');
    await killedAfter(path, 2);
    const lines = linesOf(path);
    expect(lines).toBeLessThan(5);
    appendFileSync(path, '{"experiment":{"scen');
    const resumed = await faultline('explore', '--resume', path, '--json');
    const whole = await faultline('explore', ...ASKED, '--json');
    expect(withoutTimes(resumed.stdout)).toEqual(withoutTimes(whole.stdout));
    expect(resumed.status).toBe(0);
    expect(linesOf(path)).toBe(5);
    // All is done: what was found stands in the file.
    const again = await faultline('explore', '--resume', path, '--json');
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(resumed.stdout));
  }, 60_000);

  it('refuses what is about another kernel, and what is no such file', async () => {
    const path = join(folder, 'other.jsonl');
    await faultline('explore', 'lock', '--bound', '0', '--jsonl', path);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/"source":"[0-9a-f]{8}/, '"source":"00000000'));
    const other = await faultline('explore', '--resume', path);
    expect(other.status).toBe(2);
    expect(other.stderr).toMatch(/^faultline: --resume: '.*' is about another kernel or version/);
    expect(other.stderr.trim().split('\n')).toHaveLength(1);
    writeFileSync(path, 'no JSON\n');
    const none = await faultline('explore', '--resume', path);
    expect(none.status).toBe(2);
    expect(none.stderr).toMatch(/is no file that --jsonl has written/);
  });
});
