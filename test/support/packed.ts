/** The package as npm would publish it, unpacked into a project of its own. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../../build.mjs';

export const repository: string = fileURLToPath(new URL('../..', import.meta.url));
const timeoutMs = 120_000;

export interface Outcome {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

function run(cwd: string, file: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd, timeout: timeoutMs }, (error, stdout, stderr) => {
      resolve({ status: error ? (error.code ?? error.signal ?? 'failed') : 0, stdout, stderr });
    });
  });
}

export function node(cwd: string, ...args: string[]): Promise<Outcome> {
  return run(cwd, process.execPath, args);
}

/** The npm that runs these tests, or the one on the PATH. */
export function npm(cwd: string, ...args: string[]): Promise<Outcome> {
  const npmCli = process.env['npm_execpath'];
  return npmCli === undefined ? run(cwd, 'npm', args) : node(cwd, npmCli, ...args);
}

/** Packs into `folder` and returns the tarball's path. */
export async function pack(folder: string): Promise<string> {
  if (!(await build({ types: true }))) throw new Error('the sources do not compile');
  const packed = await npm(repository, 'pack', '--ignore-scripts', '--pack-destination', folder);
  if (packed.status !== 0) throw new Error(packed.stderr);
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'missing');
}

export interface Project {
  readonly folder: string;
  dispose(): Promise<void>;
}

/** A new project with the packed faultline and comlink in node_modules, without `npm install`. */
export async function projectWithPackage(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'faultline-project-'));
  const modules = join(folder, 'node_modules');
  await mkdir(modules);
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const tarball = await pack(folder);
  const unpacked = await run(folder, 'tar', ['xzf', tarball, '-C', modules]);
  if (unpacked.status !== 0) throw new Error(unpacked.stderr);
  await run(modules, 'mv', ['package', 'faultline']);
  await cp(join(repository, 'node_modules/comlink'), join(modules, 'comlink'), { recursive: true });
  return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
}
