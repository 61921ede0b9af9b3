/**
 * Goal: the systematic mutants are what the rules say, keep their names, and each entry of the list
 * of equivalent ones is one of them; their record survives a kill. Method: a small module and the
 * kernel's own.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { MutateRecord } from '../../cli/mutate-record.ts';
import { parseMutate } from '../../cli/mutate-request.ts';
import { decodeLineMap, originalLine } from '../../lab/explore/build/line-map.ts';
import { EQUIVALENTS } from '../../lab/explore/mutate/equivalents.ts';
import { describeMutation, isSubject, mutationsOf } from '../../lab/explore/mutate/generate.ts';
import { originalName, withSchemata } from '../../lab/explore/mutate/schemata.ts';
import type { Prepared } from '../../lab/explore/mutate/mutator.ts';
import type { MutantInfo } from '../../lab/explore/mutate/schemata-build.ts';
import { NO_WORK, scoreOf, verdictOf } from '../../lab/explore/mutate/verdict.ts';
import { thinned } from '../../lab/explore/mutate/reach.ts';
import { walkNamed, walkNames } from '../../lab/explore/model/walks/index.ts';
import { Visits } from '../../lab/explore/mutate/visits.ts';

const MODULE = `
export function change(cpu, at, endVpn) {
  lock(cpu, at);
  const seen = load(at);
  if (seen === 0) {
    unlock(cpu, at);
    return;
  }
  undoEntry(seen);
  shootDown(at, endVpn);
  putFrame(seen);
  unlock(cpu, at);
  notify(at);
}
export const part = {
  claim(w, at) {
    add(w, at, 1);
    assert(at < this.end, 'claim: end');
    return compareExchange(w, at, 0, 1) === 0;
  },
};
class Walk {
  clear(words, vpn, endVpn) {
    for (let at = vpn; at < endVpn; at++) store(words, at, 0);
    clearRange(words, endVpn);
  }
}
`;
const PATH = 'kernel/paging/example.ts';

function described(code: string): string[] {
  return mutationsOf(PATH, code).map((mutation) =>
    `${mutation.id.slice(PATH.length + 1)} ${describeMutation(mutation)}`.slice(0, 80),
  );
}

describe('the generator', () => {
  it('derives from each role what can be left out, moved, weakened or shifted', () => {
    expect(described(MODULE)).toMatchInlineSnapshot(`
      [
        "change:drop-rollback:1 without 'undoEntry(seen);'",
        "change:drop-flush:1 without 'shootDown(at, endVpn);'",
        "change:drop-reference:1 without 'putFrame(seen);'",
        "change:drop-wake-up:1 without 'notify(at);'",
        "change:drop-lock:1 without 'lock(cpu, at);', without 'unlock(cpu, at);', without",
        "change:drop-check:1 'seen === 0' becomes 'false'",
        "change:swap-accesses:1 'const seen = load(at);' before 'lock(cpu, at);'",
        "change:swap-accesses:2 'shootDown(at, endVpn);' before 'undoEntry(seen);'",
        "change:early-free:1 'putFrame(seen);' before 'shootDown(at, endVpn);'",
        "change:early-unlock:1 'unlock(cpu, at);' before 'shootDown(at, endVpn);'",
        "change:swap-accesses:3 'unlock(cpu, at);' before 'putFrame(seen);'",
        "change:swap-accesses:4 'notify(at);' before 'unlock(cpu, at);'",
        "change:off-by-one:1 'endVpn' becomes 'endVpn - 1'",
        "part.claim:split-update:1 'add(w, at, 1)' becomes '($before = $load(w, at), $sto",
        "part.claim:split-update:2 'compareExchange(w, at, 0, 1)' becomes '($before = $lo",
        "part.claim:weaken-exchange:1 'compareExchange(w, at, 0, 1)' becomes '($store(w, ",
        "part.claim:weaken-exchange:2 'compareExchange(w, at, 0, 1)' becomes '(compareExc",
        "Walk.clear:off-by-one:1 'at < endVpn' becomes 'at <= endVpn'",
        "Walk.clear:off-by-one:2 'endVpn' becomes 'endVpn - 1'",
      ]
    `);
  });

  it('gives names that stay when other functions change', () => {
    const names = mutationsOf(PATH, MODULE).map(({ id }) => id);
    const edited = MODULE.replace(
      'export const part',
      'function more(cpu, at) {\n  lock(cpu, at);\n  unlock(cpu, at);\n}\nexport const part',
    );
    const after = mutationsOf(PATH, edited).map(({ id }) => id);
    expect(after.filter((id) => !id.includes(':more:'))).toEqual(names);
    expect(after.length).toBeGreaterThan(names.length);
  });

  it('builds variants whose lines are those of the sources', async () => {
    const source = `import { load } from '../../shared/atomics.ts';
interface Cpu {
  words: Int32Array;
}
// A comment.
export function change(cpu: Cpu): number {
  for (let i = 0; i < 2; i++) load(cpu.words, i);
  unlock(cpu);

  return flush(cpu);
}
`;
    const options = { loader: 'ts', target: 'es2022', sourcemap: 'external' } as const;
    const compiled = await transform(source, options);
    const mutants = mutationsOf(PATH, compiled.code).map((mutation, i) => {
      return { mutation, number: i + 1, place: i };
    });
    const { code, map } = withSchemata(PATH, compiled, mutants);
    const lines = code.split('\n');
    const lineMap = decodeLineMap(map);
    const found = (text: string): number[] =>
      lines.flatMap((line, i) => {
        const column = line.indexOf(text);
        return column < 0 ? [] : [originalLine(lineMap, i + 1, column)];
      });
    // Where a mutant moves it up, it is on the line to which it moved.
    expect(new Set(found('unlock(cpu)'))).toEqual(new Set([7, 8]));
    expect(found('flush(cpu)').every((line) => line === 10)).toBe(true);
    expect(found('unlock(cpu)').length).toBeGreaterThan(mutants.length / 2);
    expect(found('$turn()').length).toBe(mutants.length + 1);
    expect(originalName('change$m12')).toBe('change');
  });

  it('has each equivalent mutant that is listed, with a reason', async () => {
    const paths = readdirSync('kernel', { recursive: true, encoding: 'utf8' })
      .map((name) => `kernel/${name.replaceAll('\\', '/')}`)
      .filter((path) => path.endsWith('.ts') && isSubject(path));
    const ids = new Set<string>();
    for (const path of paths) {
      const options = { loader: 'ts', target: 'es2022' } as const;
      const { code } = await transform(readFileSync(path, 'utf8'), options);
      for (const { id } of mutationsOf(path, code)) {
        expect(ids.has(id)).toBe(false);
        ids.add(id);
      }
    }
    expect(ids.size).toBeGreaterThan(1000);
    expect(Object.keys(EQUIVALENTS).filter((id) => !ids.has(id))).toEqual([]);
    expect(Object.values(EQUIVALENTS).filter((reason) => reason.length < 20)).toEqual([]);
  });
});

const mutant: MutantInfo = {
  ...{ id: `${PATH}:change:drop-flush:1`, path: PATH, functionName: 'change', line: 10 },
  ...{ operator: 'drop-flush', change: 'drop', number: 1, place: 7 },
};

describe('visits', () => {
  const covered = (scenario: string, protocol: string, contested: number[], alone: number[]) => ({
    ...{ scenario, protocol, contested, alone, aside: [9] },
    size: contested.length + alone.length,
  });
  const visits = new Visits(
    [
      covered('alone', 'rcu', [], [7]),
      covered('wide', 'rcu', [1, 2, 7], []),
      covered('narrow', 'rcu', [7], []),
      covered('narrow', 'vma', [7], []),
      covered('elsewhere', 'rcu', [3], []),
      covered('some+pair', 'rcu', [7], []),
    ],
    1,
  );
  const names = (place: number, killers: readonly string[], path = PATH) =>
    visits
      .of(
        { place, path },
        killers.map((scenario) => ({ scenario, protocol: 'rcu' })),
      )
      .map(({ scenario, protocol, bounds }) => {
        const { strategy, bound } = bounds.at(-1)!;
        return `${scenario} ${protocol} ${strategy === 'pct' ? 'random' : bound}`;
      });

  it('go to scenarios that execute the place, contested and narrow ones first', () => {
    const usual = ['narrow rcu', 'wide rcu', 'alone rcu', 'some+pair rcu'];
    const deep = [...usual, 'narrow vma'];
    expect(names(7, [])).toEqual([
      ...usual.map((name) => `${name} 0`),
      ...usual.map((name) => `${name} 1`),
      'narrow vma 1',
      ...deep.map((name) => `${name} 2`),
      ...deep.map((name) => `${name} random`),
    ]);
    expect(names(4, [])).toEqual([]);
    // Executed in the setup only: without two preemptions.
    expect(names(9, []).filter((name) => /2|random/.test(name))).toEqual([]);
  });

  it('begin where it was seen in another kernel, and with what killed a mutant like it', () => {
    expect(names(7, ['wide', 'elsewhere'])).toEqual(['wide rcu 1', ...names(7, [])]);
    const seen = { scenario: 'elsewhere', protocol: 'path' };
    expect(visits.of({ place: 7, path: PATH }, [], seen)[0]).toMatchObject(seen);
  });
});

describe('coverage by generated scenarios', () => {
  it('keeps the cheapest of each kind for a place, and some of the others', () => {
    const covered = (scenario: string, size: number) => ({
      ...{ scenario, protocol: 'rcu', contested: [7], alone: [8], aside: [9], size },
    });
    const pairs = Array.from({ length: 500 }, (_, i) => covered(`some+pair+${i}`, 500 - i));
    const kept = thinned([...pairs, covered('walk-1', 900)]);
    const names = kept.map(({ scenario }) => scenario);
    expect(names).toContain('walk-1');
    expect(names).toContain('some+pair+499');
    expect(kept.length).toBeLessThan(40);
    expect(Math.max(...kept.map(({ size }) => size))).toBe(900);
    expect(kept.filter(({ size }) => size < 500 && size > 100).length).toBeGreaterThan(8);
    expect(kept.every(({ aside }) => aside.length === 0)).toBe(true);
  });

  it('has walks: the same name draws the same calls', () => {
    const steps = (name: string) => walkNamed(name)?.cpus[0]!.map((step) => step.name);
    expect(steps('walk-3')).toEqual(steps('walk-3'));
    expect(steps('walk-3')).not.toEqual(steps('walk-4'));
    expect(steps('walk-3')!.length).toBeGreaterThanOrEqual(12);
    expect(walkNamed('walk-x')).toBeUndefined();
    expect(new Set(walkNames()).size).toBeGreaterThanOrEqual(400);
  });
});

describe('the score', () => {
  it('leaves equivalent mutants out, and counts what nothing executes as alive', () => {
    const outcomes = ['killed', 'killed', 'survived', 'not executed', 'equivalent'] as const;
    const verdicts = outcomes.map((outcome) => verdictOf(mutant, outcome, null, NO_WORK));
    expect(scoreOf('all', verdicts)).toMatchObject({ mutants: 5, killed: 2, percent: 50 });
    expect(scoreOf('none', []).percent).toBeNull();
  });
});

describe('the record', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-record-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const places = [{ scenario: 's', protocol: 'rcu' }];
  const pairs = [{ scenario: 'anon+load+store', protocol: 'rcu' }];
  const prepared = { mutants: [], places, generated: pairs, kernel: 'k', scenarios: 's' };
  const verdict = verdictOf(mutant, 'survived', null, NO_WORK);
  const by = { scenario: 's', protocol: 'rcu', bound: 1, kind: 'race', message: '' };
  const killed = verdictOf({ ...mutant, id: 'a' }, 'killed', by, NO_WORK);
  const known = (path: string, build: Prepared, effort = 1) => {
    return [...new MutateRecord(path, effort).open(build).verdicts.keys()];
  };

  it('keeps verdicts, and drops the half of one that a kill has left', () => {
    const path = join(folder, 'a.jsonl');
    expect(new MutateRecord(path, 1).open(prepared).verdicts.size).toBe(0);
    new MutateRecord(path, 1).add(verdict);
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, `${whole}{"mutant":"ker`);
    const again = new MutateRecord(path, 1);
    expect([...again.open(prepared).verdicts]).toEqual([[mutant.id, verdict]]);
    expect(readFileSync(path, 'utf8')).toBe(whole);
  });

  it('keeps what was killed when scenarios change, as long as the one that did it is there', () => {
    const path = join(folder, 'c.jsonl');
    const gone = { ...by, scenario: 'gone' };
    const record = new MutateRecord(path, 1);
    record.open(prepared);
    for (const one of [killed, verdict]) record.add(one);
    record.add(verdictOf({ ...mutant, id: 'b' }, 'killed', gone, NO_WORK));
    const now = { ...prepared, scenarios: 'more' };
    expect(known(path, now)).toEqual(['a']);
    new MutateRecord(path, 1).add(verdict);
    expect(known(path, now)).toEqual(['a', mutant.id]);
    expect(known(path, now, 2)).toEqual(['a']);
  });

  it('of another kernel knows only where to look first, until it is judged again', () => {
    const path = join(folder, 'd.jsonl');
    new MutateRecord(path, 1).open(prepared);
    for (const one of [killed, verdict]) new MutateRecord(path, 1).add(one);
    const byPair = { ...by, scenario: 'anon+load+store' };
    new MutateRecord(path, 1).add(verdictOf({ ...mutant, id: 'b' }, 'killed', byPair, NO_WORK));
    const other = { ...prepared, kernel: 'other' };
    const { verdicts, sightings } = new MutateRecord(path, 1).open(other);
    expect(verdicts.size).toBe(0);
    expect([...sightings.keys()]).toEqual(['a', 'b']);
    new MutateRecord(path, 1).add(killed);
    expect(known(path, other)).toEqual(['a']);
  });

  it.each([
    ['another command', '{"record":"faultline explore"}\n', /no record of mutants/],
    ['another file', '{"name":"x"}\n', /no record of mutants/],
    ['no JSON', 'hello\n', /no record of mutants/],
    ['a text without a line', 'hello', /no record of mutants/],
  ])('refuses the record of %s, and leaves it', (_what, text, message) => {
    const path = join(folder, 'b.jsonl');
    writeFileSync(path, text);
    expect(() => new MutateRecord(path, 1).open(prepared)).toThrow(message);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('the request', () => {
  it.each([
    [['--operator', 'drop-flsh'], /did you mean drop-flush/],
    [['kernel/x.ts:f:drop-flush'], /no mutant's name/],
    [['--jobs', '0'], /--jobs/],
    [['--resume', '/nowhere/x'], /no folder/],
    [['--mutant', 'x'], /unknown option/],
  ])('refuses %j', (args, message) => {
    expect(() => parseMutate(['--mutate', ...args])).toThrow(message);
  });

  it('selects by file, folder, operator and name', () => {
    const selects = (...args: string[]): boolean => {
      const request = parseMutate(['--mutate', ...args]);
      return typeof request !== 'string' && request.isWanted(mutant);
    };
    expect(selects()).toBe(true);
    expect(selects('--file', 'kernel/paging/')).toBe(true);
    expect(selects('--file', 'kernel/pag')).toBe(false);
    expect(selects('--operator', 'drop-lock')).toBe(false);
    expect(selects(mutant.id, '--operator', 'drop-flush')).toBe(true);
    expect(selects('kernel/paging/flush.ts:flushRange:drop-flush:1')).toBe(false);
    // Its number is 1.
    expect([selects('--sample', '1'), selects('--sample', '2')]).toEqual([true, false]);
  });
});
