/**
 * Goal: a systematic mutant is explored and replayed by its name, and never something else in its
 * stead. Method: a toolchain that has one file of the kernel.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'acorn';
import { transform } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { commandOf } from '../../cli/mutate-report.ts';
import type { ModuleTree, Toolchain } from '../../lab/explore/build/toolchain.ts';
import { formatSchedule, parseSchedule } from '../../lab/explore/engine/schedule.ts';
import { mutationsOf } from '../../lab/explore/mutate/generate.ts';
import { isSystematic, namesBeside, withMutant } from '../../lab/explore/mutate/one-mutant.ts';
import type { MutantInfo } from '../../lab/explore/mutate/schemata-build.ts';
import { NO_WORK, verdictOf } from '../../lab/explore/mutate/verdict.ts';

const path = 'kernel/machine/spinlock.ts';
const info: MutantInfo = {
  ...{ id: `${path}:lock:drop-lock:1`, path, functionName: 'lock', line: 10 },
  ...{ operator: 'drop-lock', change: 'drop', number: 1, place: 7 },
};

describe('one mutant as a build', () => {
  const toolchain = (files: readonly string[]): Toolchain => ({
    read: (file) => (files.includes(file) ? readFileSync(file, 'utf8') : null),
    compile: (_file, source) => {
      return transform(source, { loader: 'ts', target: 'es2022', sourcemap: 'external' });
    },
    bundle: async () => 'bundled',
    evaluate: async () => ({}),
  });

  it('is the file with its change alone, on the same lines', async () => {
    const clean = toolchain([path]);
    const { code } = await clean.compile(path, clean.read(path)!);
    const names = await namesBeside(clean, `${path}:lock:split-update:1`);
    expect(names).toEqual(mutationsOf(path, code).map(({ id }) => id));
    expect(names.length).toBeGreaterThan(10);
    const texts = new Set<string>();
    for (const name of names) {
      expect(isSystematic(name)).toBe(true);
      const tools = withMutant(clean, name);
      const changed = (await tools.compile(path, tools.read(path)!)).code;
      expect(() => parse(changed, { ecmaVersion: 2022, sourceType: 'module' })).not.toThrow();
      expect(changed.split('\n').length).toBe(code.split('\n').length);
      texts.add(changed);
      expect(await tools.bundle({} as ModuleTree)).toBe('bundled');
    }
    expect(texts.size).toBe(names.length);
  });

  it('is refused where it cannot be', async () => {
    const clean = toolchain([path]);
    for (const name of ['kernel/nowhere.ts:f:drop-lock:1', 'kernel/reports/x.ts:f:drop-lock:1']) {
      expect(await namesBeside(clean, name)).toEqual([]);
    }
    const tools = withMutant(clean, `${path}:lock:split-update:99`);
    await expect(tools.compile(path, tools.read(path)!)).rejects.toThrow(/there is no mutant/);
    // Of a file that the build does not read.
    const elsewhere = withMutant(clean, 'kernel/nowhere.ts:f:drop-lock:1');
    expect(() => elsewhere.bundle({} as ModuleTree)).toThrow(/no part of the explore build/);
    for (const name of ['lock', 'kernel/machine:f:drop-lock:1', 'shared/x.ts:f:drop-lock:1']) {
      expect(isSystematic(name)).toBe(false);
    }
  });

  it('has the command that explores it where it was killed', () => {
    const by = { scenario: 'lock', protocol: 'vma', bound: 1, kind: 'race', message: '' };
    const command = `faultline explore lock --protocol vma --bound 1 ` + `--mutant '${info.id}'`;
    expect(commandOf(verdictOf(info, 'killed', by, NO_WORK))).toBe(command);
    expect(commandOf(verdictOf(info, 'survived', null, NO_WORK))).toBeNull();
  });

  it('has a name that schedules can contain', () => {
    const name = `${path}:Part.$load:split-update:1`;
    const text = formatSchedule({
      ...{ scenario: 'lock', protocol: 'rcu', mutant: name },
      segments: [{ cpu: 0, steps: 3, old: false }],
    });
    expect(isSystematic(name)).toBe(true);
    expect(text).not.toContain(name);
    expect(parseSchedule(text)).toMatchObject({ scenario: 'lock', mutant: name });
    expect(parseSchedule('lock@rcu+%E0%A4%A:0*1')).toBeNull();
  });
});
