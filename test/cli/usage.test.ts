/**
 * Goal: the command line is refused or understood as a whole, and help says what there is. Method:
 * the parsers alone, which need no machine.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseBench } from '../../cli/bench-request.ts';
import { parseDifftest } from '../../cli/difftest-request.ts';
import { parseExplore } from '../../cli/explore-request.ts';
import { parseRecord } from '../../cli/record-request.ts';
import { parseReplay } from '../../cli/replay-request.ts';
import { parseRun } from '../../cli/run-request.ts';
import { parseServe } from '../../cli/serve-request.ts';
import { parseStress } from '../../cli/stress-request.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { faultline } from '../support/command.ts';

const parsers = {
  run: parseRun,
  explore: parseExplore,
  stress: parseStress,
  difftest: parseDifftest,
  bench: parseBench,
  record: parseRecord,
  replay: parseReplay,
  serve: parseServe,
};

/** The message of what a command line is refused with. */
function refusal(line: string): string {
  const [command = '', ...args] = line.split(' ');
  try {
    parsers[command as keyof typeof parsers](args);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  return 'accepted';
}

/** Every option of a command's help, with a value if it takes one. */
function optionsOf(command: keyof typeof parsers): string[] {
  const help = parsers[command](['--help']) as string;
  return [...help.matchAll(/^ {2}(--[\w-]+)( \S+)?  /gm)].map(([, name = '', value]) =>
    value === undefined ? name : `${name} 1`,
  );
}

describe('repeated options', () => {
  it.each(Object.keys(parsers) as (keyof typeof parsers)[])(
    '%s refuses them, or collects what its help calls a list',
    (command) => {
      const help = parsers[command](['--help']) as string;
      const options = optionsOf(command);
      expect(options.length).toBeGreaterThan(1);
      for (const option of options) {
        const [name = ''] = option.split(' ');
        const [line = ''] = new RegExp(`^  ${name} .*$`, 'm').exec(help) ?? [];
        const isList = / LIST | may be repeated|; each once$/.test(line);
        const message = refusal(`${command} ${option} ${option}`);
        expect(message.includes(`${name} is given twice`), message).toBe(!isList);
      }
    },
  );

  it.each([
    ['run hello --file x=package.json --file x=README.md', "--file gives 'x' twice"],
    ['run hello --inject frame=1 --inject frame=2', "--inject gives 'frame' twice"],
    ['run forkstorm -- 5 --processes 6', 'processes is given twice'],
    ['run grind --processes 2 -- --processes 3', '--processes is given twice'],
    ['run gc -- --pages 2 --pages 3', '--pages is given twice, 2 and 3'],
  ])('%s', (line, message) => {
    expect(refusal(line)).toContain(message);
  });

  it('of lists are collected', () => {
    const request = parseRun(['hello', '--inject', 'frame=1', '--inject', 'read=2%']);
    expect(request).toMatchObject({ inject: { frame: '1', read: '2%' } });
    const explore = ['fault-munmap', 'fault-munmap', '--protocol', 'rcu', '--protocol', 'rcu'];
    expect(parseExplore(explore)).toMatchObject({
      scenarios: ['fault-munmap'],
      protocols: ['rcu'],
    });
    const bench = parseBench(['--cpus', '1', '--cpus', '2,1']);
    expect(bench).toMatchObject({ options: { cpus: [1, 2] } });
  });
});

describe('values', () => {
  it.each([
    [
      'run hello --swap 17GiB',
      '--swap must be a size from 0 to 16GiB, such as 64MiB (units KiB, MiB, GiB;',
    ],
    ['run hello --swap 1', '--swap must be whole pages of 4KiB'],
    ['stress --swap 4194305', '--swap must be whole pages of 4KiB'],
    [
      'run hello --memory 3MB',
      '--memory must be a size from 1MiB to 4GiB, such as 64MiB (units KiB, MiB, GiB;',
    ],
    ['run hello --memory 3', '--memory must be a size'],
    ['run hello --limit 5000', '--limit must be whole pages'],
    ['bench --suite will-it-scale --region 5000', '--region must be whole pages'],
    ['bench --suite foo', 'known: floors, cortenmm, radixvm, will-it-scale, engine'],
    ['run pipeline -- --capacity 3', '--capacity must be a power of two'],
    ['explore --mutant no-flush --mutants', '--mutants goes without --mutant'],
    ['explore --list --protocol vma', '--list goes without --protocol'],
    ['explore --list --seed 1', '--list goes without --seed'],
    ['explore --mutants --strategy pct', '--mutants goes without --strategy'],
    ['explore --mutants --jobs 2', '--mutants goes without --jobs'],
    ['explore --replay a@rcu:0*1 --bound 2', '--replay goes without --bound'],
    ['explore --replay a@rcu:0*1 --protocol vma', '--replay goes without --protocol'],
    ['explore fault-munmap --strategy pct --bound 2', '--strategy pct goes without --bound'],
    ['explore fault-munmap --strategy random --depth 2', '--strategy random goes without --depth'],
    ['explore fault-munmap --depth 2', 'the exhaustive strategy goes without --depth'],
    ['explore fault-munmap --seed 2', 'the exhaustive strategy goes without --seed'],
    ['explore --all fault-munmap', '--all goes without fault-munmap'],
    ['explore --all --mutant no-flush', '--mutant goes without --all'],
    ['explore --mutant no-flush --protocol vma', '--mutant without a scenario goes without'],
    ['record ls', 'the command comes after --: faultline record -- ls'],
    ['record', 'record what? faultline record -- COMMAND'],
    ['replay', 'replay what? faultline replay FILE'],
    ['replay /no/file', "'/no/file' cannot be read (ENOENT)"],
    ['replay cli', "'cli' is a directory"],
    ['replay README.md --stop-at 0', '--stop-at must be an integer from 1'],
    ['replay README.md --check-maps README.md', 'has no line of areas'],
    ['explore --list fault-munmap', '--list goes without fault-munmap'],
    ['explore fault-munmap --replay a@rcu:0*1', '--replay goes without fault-munmap'],
  ])('%s', (line, message) => {
    expect(refusal(line)).toContain(message);
  });

  it('of the largest swap store are accepted', () => {
    expect(parseRun(['hello', '--swap', '16GiB'])).toMatchObject({ swapBytes: 2 ** 34 });
  });

  it.each(['bench --csv', 'bench --html', 'explore fault-munmap --html'])(
    '%s: a file that cannot be written is refused, one that can is not touched',
    (line) => {
      const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
      try {
        expect(refusal(`${line} ${folder}`)).toContain('is a directory');
        expect(refusal(`${line} ${folder}/none/x.html`)).toContain("there is no folder '");
        expect(refusal(`${line} ${folder}/x.html`)).toBe('accepted');
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe('help', () => {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

  it("lists run's options and programs in README's order", () => {
    const rows = [...readme.matchAll(/^\| `(--[\w-]+)/gm)].map(([, name]) => name);
    const options = optionsOf('run').map((option) => option.split(' ')[0]);
    expect(options.filter((name) => name !== '--help')).toEqual(rows);
    const programs = [...readme.matchAll(/^\| `([a-z]+)` +\|/gm)].map(([, name]) => name);
    const listed = /terminal|after --\):\n([\s\S]*?)\n\n/.exec(parseRun(['--help']) as string);
    expect([...listed![1]!.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name)).toEqual(programs);
  });

  it('fits into 100 columns, and is printed for what follows -- too', () => {
    for (const parse of Object.values(parsers)) {
      for (const line of (parse(['--help']) as string).split('\n')) {
        expect(line.length, line).toBeLessThanOrEqual(100);
      }
    }
    for (const flag of ['--help', '-h']) {
      expect(parseRun(['grind', '--', flag])).toMatch(/^Usage: faultline run grind/);
    }
  });

  it('aligns the commands', async () => {
    const { stdout } = await faultline('--help');
    const columns = [...stdout.matchAll(/^ {2}[a-z]+ +(?=[a-z])/gm)].map(([text]) => text.length);
    expect(columns).toHaveLength(9);
    expect(new Set(columns).size).toBe(1);
  });
});

it('explore refuses names before it builds a model', async () => {
  for (const args of [['fault-munmp'], ['--mutant', 'no-flus'], ['--replay', 'fault@rcu:0*1']]) {
    const { status, stdout, stderr } = await faultline('explore', ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^faultline: no \w+ is called '[\w-]+'[^\n]*\n$/);
  }
});

describe('modules that are no part of a machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
  const path = join(folder, 'empty.ts');
  writeFileSync(path, 'export default {};\n');
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    [
      ['run', 'hello', '--reclaim', path],
      'is no reclaim policy: its default export has no method choose',
    ],
    [
      ['run', 'hello', '--protocol', path],
      'is no protocol: its default export has no method lockAreas',
    ],
    [['stress', '--protocol', path], 'is no protocol: its default export has no method lockAreas'],
    [
      ['explore', 'fault-munmap', '--protocol', path],
      'is no protocol: its default export has no method lockAreas',
    ],
    [['bench', '--protocol', path], 'is no protocol: its default export has no method lockAreas'],
  ])('are refused by name: %j', async (args, message) => {
    const { status, stderr } = await faultline(...args);
    expect(status).toBe(2);
    const last = stderr.trimEnd().split('\n').at(-1);
    expect(last).toBe(`faultline: '${path}' ${message}`);
  });
});
