/**
 * Goal: the oldest TypeScript that the README promises reads our declarations, with skipLibCheck
 * off. Method: that compiler checks a host and a program against the packed package.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundler, skipWithout } from '../support/needs.ts';
import { node, projectWithPackage, repository } from '../support/packed.ts';
import type { Project } from '../support/packed.ts';

const oldest = bundler('typescript-oldest');

const source = `
import { boot } from 'faultline';
import { defineProgram, SyscallError } from 'faultline/program';
import * as kernel from 'faultline/kernel';
import * as areas from 'faultline/memory-set';
import * as explore from 'faultline/explore';
await using machine = await boot({ signal: AbortSignal.timeout(1000) });
const child = await machine.spawn('./a.js', { args: [1] });
const status = await child.wait({ timeout: 10 });
const code: number | undefined = status.code;
export const program = defineProgram((proc) => {
  const bytes: Uint8Array = proc.mem.read(0, 8);
  return bytes.length;
});
// @ts-expect-error: the code is no string; without types this would pass.
const wrong: string = status.code;
export { areas, code, explore, kernel, SyscallError, wrong };
`;

skipWithout(oldest)('the oldest TypeScript', () => {
  let project: Project;
  beforeAll(async () => {
    project = await projectWithPackage();
  }, 120_000);
  afterAll(() => project.dispose());

  it('reads the declarations', { timeout: 60_000 }, async () => {
    const { version } = JSON.parse(readFileSync(join(oldest() ?? '', 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(readFileSync(join(repository, 'README.md'), 'utf8')).toContain(
      `TypeScript ${version.split('.').slice(0, 2).join('.')} or newer`,
    );
    const compilerOptions = {
      ...{ strict: true, noEmit: true, target: 'es2022', module: 'nodenext', skipLibCheck: false },
      lib: ['es2023', 'dom'],
      types: [],
    };
    writeFileSync(join(project.folder, 'main.ts'), source);
    const config = JSON.stringify({ compilerOptions, files: ['main.ts'] });
    writeFileSync(join(project.folder, 'tsconfig.json'), config);
    const checked = await node(project.folder, join(oldest() ?? '', 'bin/tsc'), '-p', '.');
    expect(checked, checked.stdout).toMatchObject({ status: 0 });
  });
});
