/**
 * Goal: what a user installs works. Method: pack, install the tarball into an empty folder outside
 * the repository, and there do what the README says; nothing in that folder can see the sources.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MUTANTS } from '../../lab/explore/mutants.ts';
import { node, npm, pack, repository as root } from '../support/packed.ts';

const commandTimeoutMs = 60_000;
const installTimeoutMs = 120_000;

const program = (types: { process: string; numbers: string }): string => `
import { defineProgram, PROT_READ, PROT_WRITE } from 'faultline/program';
import { MAP_ANONYMOUS, MAP_PRIVATE } from 'faultline/program';
${types.process}
const answer${types.numbers} = 42;
export default defineProgram(async (proc, ...args) => {
  const protection = PROT_READ | PROT_WRITE;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const address = await proc.mmap(0, 1 << 20, protection, flags, -1, 0);
  proc.mem.store32(address, answer);
  return proc.mem.load32(address) === answer ? args.length : 99;
});
`;

const scenario = `
import { leave, enter, mapPages, mprotect, newThreads, write } from 'faultline/explore';
import type { Operation, Scenario, World } from 'faultline/explore';
import { layout, lock, unlock } from 'faultline/kernel';
import type { Cpu } from 'faultline/kernel';

const takeBuddyLock: Operation = {
  name: 'take the buddy lock',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    lock(cpu, layout.BOOT.BUDDY_LOCK);
    unlock(cpu, layout.BOOT.BUDDY_LOCK);
    leave(world, cpu);
    return 0;
  },
};

const mine: Scenario = {
  name: 'mine',
  about: 'a page is written while its neighbour changes its permission',
  cpus: [[write(0, 7), takeBuddyLock], [mprotect(1, 1, 1)]],
  setup(world: World): void {
    newThreads(world);
    mapPages(world, 0, 0, 2);
  },
};
export default mine;
// @ts-expect-error: a page number is no string; without types this would pass.
export const wrong: Operation = write('0', 7);
`;

const files: Readonly<Record<string, string>> = {
  'program.js': program({ process: '', numbers: '' }),
  'typed.ts': program({
    process: "import type { Proc } from 'faultline/program';\nexport type P = Proc;",
    numbers: ': number',
  }),
  'scenario.ts': scenario,
  'main.js': `
import { boot } from 'faultline';
const machine = await boot({ memory: '64MiB', cpus: 2, protocol: 'rcu', faults: 'local' });
const child = await machine.spawn(new URL('./program.js', import.meta.url), { args: ['x'] });
console.log(JSON.stringify(await child.wait()));
await machine.shutdown();
`,
  'main.ts': `
import { boot } from 'faultline';
import * as kernel from 'faultline/kernel';
const machine = await boot({ memory: '64MiB', cpus: 2 });
const child = await machine.spawn(new URL('./program.js', import.meta.url), { args: ['x'] });
const status = await child.wait();
// @ts-expect-error: the result is no string; without types this would pass.
const wrong: string = status;
await machine.shutdown();
export { kernel, wrong };
`,
};

let folder = '';
let tarball = '';
let consumer = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'faultline-package-'));
  consumer = join(folder, 'consumer');
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), '{ "private": true, "type": "module" }');
  for (const [name, text] of Object.entries(files)) await writeFile(join(consumer, name), text);
  tarball = await pack(folder);
  const flags = ['--prefer-offline', '--no-audit', '--no-fund'];
  const installed = await npm(consumer, 'install', ...flags, tarball);
  expect(installed, installed.stderr).toMatchObject({ status: 0 });
}, installTimeoutMs);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the packed tarball', () => {
  it('holds nothing but the build, the documents and the programs to read, in at most 1 MB', () => {
    const names = readdirSync(join(consumer, 'node_modules/faultline')).sort();
    const documents = ['CHANGELOG.md', 'HACKING.md', 'LICENSE', 'README.md'];
    expect(names).toEqual([...documents, 'dist', 'docs', 'package.json', 'programs']);
    const inDist = readdirSync(join(consumer, 'node_modules/faultline/dist'));
    expect(inDist).not.toContain('.build');
    expect(inDist.filter((name) => name.endsWith('.map'))).toEqual([]);
    const bytes = statSync(tarball).size;
    console.log(`tarball: ${(bytes / 1e6).toFixed(2)} MB`);
    expect(bytes).toBeLessThanOrEqual(1e6);
  });

  it('brings two packages of its own, and at most 15 MB', () => {
    const modules = join(consumer, 'node_modules');
    const names = readdirSync(modules).filter((name) => !name.startsWith('.'));
    // esbuild's binary is a package of its own, one for each platform.
    expect(names.sort()).toEqual(['@esbuild', 'comlink', 'esbuild', 'faultline']);
    const files = readdirSync(modules, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)));
    // esbuild's installation links its binary to a second place.
    const bytes = new Map(files.map(({ ino, size }) => [ino, size]));
    const megabytes = [...bytes.values()].reduce((sum, size) => sum + size, 0) / 1e6;
    console.log(`installed: ${megabytes.toFixed(1)} MB`);
    expect(megabytes).toBeLessThanOrEqual(15);
  });

  it('has every file to which its documents link', () => {
    const folder = join(consumer, 'node_modules/faultline');
    const documents = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.md'),
    );
    expect(documents.length).toBeGreaterThan(10);
    const broken = documents.flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8').replace(/^```[^]*?^```/gm, '');
      return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link ?? '')
        .filter((link) => !/^([a-z]+:|#)/.test(link))
        .filter((link) => !existsSync(join(folder, name, '..', link.replace(/#.*/, ''))))
        .map((link) => `${name}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  it('has sources to which every mutant still applies', () => {
    const path = join(consumer, 'node_modules/faultline/dist/explore-sources.json.br');
    const sources = JSON.parse(brotliDecompressSync(readFileSync(path)).toString()) as Readonly<
      Record<string, string>
    >;
    const lost = MUTANTS.flatMap(({ name, patches }) =>
      patches.filter(({ path: at, find }) => sources[at]?.split(find).length !== 2).map(() => name),
    );
    expect(lost).toEqual([]);
  });

  it('satisfies publint', async () => {
    const pkgDir = join(consumer, 'node_modules/faultline');
    const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  it('satisfies arethetypeswrong', { timeout: commandTimeoutMs }, async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const args = ['--profile', 'esm-only', '--no-emoji', '--no-color'];
    const checked = await node(folder, attw, tarball, ...args);
    expect(checked, checked.stdout).toMatchObject({ status: 0 });
  });

  it.each(['nodenext', 'bundler'])(
    'type-checks in a TypeScript project with %s resolution',
    { timeout: commandTimeoutMs },
    async (resolution) => {
      const compilerOptions = {
        ...{ strict: true, noEmit: true, target: 'es2022', skipLibCheck: false },
        module: resolution === 'bundler' ? 'preserve' : resolution,
        moduleResolution: resolution,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      };
      const config = { compilerOptions, files: ['main.ts', 'typed.ts', 'scenario.ts'] };
      const configName = `tsconfig.${resolution}.json`;
      await writeFile(join(consumer, configName), JSON.stringify(config));
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const checked = await node(consumer, tsc, '-p', configName);
      expect(checked, checked.stdout).toMatchObject({ status: 0 });
    },
  );

  it('has a memory model that is at most 7.25 KiB gzipped, alone', async () => {
    const { outputFiles } = await esbuild.build({
      stdin: { contents: "export * from 'faultline/memory-set';", resolveDir: consumer },
      ...{ bundle: true, minify: true, format: 'esm', platform: 'neutral', write: false },
    });
    const size = gzipSync(outputFiles[0]?.contents ?? '').length / 1024;
    console.log(`faultline/memory-set: ${size.toFixed(2)} KiB`);
    expect(size).toBeLessThanOrEqual(7.25);
    expect(size).toBeGreaterThan(5);
  });

  it('boots a machine from JavaScript and runs a program', async () => {
    const finished = await node(consumer, 'main.js');
    expect(finished, finished.stderr).toMatchObject({ status: 0 });
    expect(JSON.parse(finished.stdout)).toMatchObject({ code: 1 });
  });

  it("explores the user's scenario", async () => {
    const command = ['exec', '--no', '--', 'faultline', 'explore', './scenario.ts', '--bound', '2'];
    const finished = await npm(consumer, ...command);
    expect(finished, finished.stderr).toMatchObject({ status: 0 });
    expect(finished.stdout).toMatch(/complete +\d+/);
  });

  it('runs the example of its documents', { timeout: commandTimeoutMs }, async () => {
    const example = 'node_modules/faultline/docs/examples/split-protocol.ts';
    const command = ['exec', '--no', '--', 'faultline', 'run', 'grind', '--protocol', example];
    const finished = await npm(consumer, ...command, '--', '--rounds', '50');
    expect(finished, finished.stderr).toMatchObject({ status: 0 });
  });

  it('runs a built-in program with the command', async () => {
    const finished = await npm(consumer, 'exec', '--no', '--', 'faultline', 'run', 'hello');
    expect(finished, finished.stderr).toMatchObject({ status: 0 });
  });

  it.each(['program.js', 'typed.ts'])("runs the user's %s with the command", async (name) => {
    const command = ['exec', '--no', '--', 'faultline', 'run', `./${name}`];
    const finished = await npm(consumer, ...command);
    expect(finished, finished.stderr).toMatchObject({ status: 0 });
  });
});
