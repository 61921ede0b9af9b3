/**
 * How the tests run: a project for each folder of test/. `unit`, `property` and `house` import
 * sources and need no build. The others run the built dist/, because Workers load files that must
 * exist as JavaScript; they bring it up to date themselves, see test/support/fresh-build.ts.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import type { TestProjectConfiguration, ViteUserConfig } from 'vitest/config';
import { inputFiles } from './build.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const dist = (name: string): string => `${root}dist/${name}.js`;

/**
 * Vite does not see that a test which runs dist/ depends on the sources. In watch mode, this makes
 * an edit of any source run such tests again.
 */
const dependsOnSources: Plugin = {
  name: 'depends-on-sources',
  transform(_code, id) {
    if (!/\/test\/[a-z]+\/[\w-]+\.test\.ts$/.test(id)) return;
    for (const path of inputFiles()) this.addWatchFile(root + path);
  },
};

/** The compiled kernel, in sources that are tested without dist/; a stub before the first build. */
const kernelWasm = existsSync(`${root}dist/.build/kernel-wasm.mjs`)
  ? `${root}dist/.build/kernel-wasm$1.mjs`
  : `${root}test/support/no-kernel-wasm.ts`;

function project(
  name: string,
  { needsBuild = true, isolate = true }: { needsBuild?: boolean; isolate?: boolean } = {},
): TestProjectConfiguration {
  return {
    extends: true,
    plugins: needsBuild ? [dependsOnSources] : [],
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      globalSetup: needsBuild ? ['./test/support/fresh-build.ts'] : [],
      setupFiles: needsBuild ? ['./test/support/needs-build.ts'] : [],
      isolate,
    },
  };
}

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      { find: /^#kernel-wasm(-bytes)?$/, replacement: kernelWasm },
      { find: /^faultline$/, replacement: dist('index') },
      { find: /^faultline\/([a-z-]+)$/, replacement: dist('$1') },
    ],
  },
  test: {
    projects: [
      // Kernel code has no state outside the machine, so these files may share their modules; those
      // of house share what they have read and parsed.
      project('unit', { needsBuild: false, isolate: false }),
      project('property', { needsBuild: false, isolate: false }),
      project('house', { needsBuild: false, isolate: false }),
      ...['machine', 'lab', 'cli', 'package'].map((name) => project(name)),
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    // dist/ is finished code: Node loads it itself, so that import.meta.url finds the Workers.
    server: { deps: { external: [/\/dist\/(?!\.build)/] } },
  },
});

export default config;
