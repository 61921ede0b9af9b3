/**
 * How the tests run. Unit tests import sources; integration tests import 'faultline' and get the
 * built dist/, because Workers load files that must exist as JavaScript.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { ViteUserConfig } from 'vitest/config';

const dist = (name: string): string => fileURLToPath(new URL(`./dist/${name}.js`, import.meta.url));

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: [
      { find: /^faultline$/, replacement: dist('index') },
      { find: /^faultline\/([a-z-]+)$/, replacement: dist('$1') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    // dist/ is finished code: Node loads it itself, so that import.meta.url finds the Workers.
    server: { deps: { external: [/\/dist\//] } },
  },
});

export default config;
