/**
 * Goal: an app that boots a machine in a page can be built by the usual bundlers. Method: the
 * example of docs/examples/browser, with the packed tarball, is built by each of them, served, and
 * opened in Chromium. `npm run test:bundlers` installs the bundlers and runs this.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStaticServer } from '../../scripts/static-server.mjs';
import { bundler, chromium, launchChromium, skipWithout } from '../support/needs.ts';
import { node, projectWithPackage, repository } from '../support/packed.ts';
import type { Project } from '../support/packed.ts';

const buildTimeoutMs = 60_000;
const answer = 'done\nthe answer is 42\n{"code":0}, audit clean';

/** What is used of Vite. */
interface Vite {
  createServer(config: object): Promise<ViteServer>;
  build(config: object): Promise<unknown>;
}
interface ViteServer {
  readonly resolvedUrls: { readonly local: readonly string[] } | null;
  listen(): Promise<unknown>;
  close(): Promise<void>;
}
interface WebpackStats {
  hasErrors(): boolean;
  hasWarnings(): boolean;
  toString(what: string): string;
}
type Webpack = (
  config: object,
  done: (error: Error | null, stats: WebpackStats | undefined) => void,
) => void;

function loadVite(name: string): Promise<Vite> {
  const url = pathToFileURL(join(bundler(name)() ?? '', 'dist/node/index.js')).href;
  return import(url) as Promise<Vite>;
}

skipWithout(chromium)('a page', () => {
  let project: Project;
  let browser: Browser;
  let built = '';

  beforeAll(async () => {
    project = await projectWithPackage();
    cpSync(join(repository, 'docs/examples/browser'), project.folder, { recursive: true });
    built = join(project.folder, 'built');
    const modules = join(project.folder, 'node_modules');
    for (const name of ['esbuild', '@esbuild']) {
      symlinkSync(join(repository, 'node_modules', name), join(modules, name));
    }
    browser = await launchChromium();
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await project.dispose();
  });

  /** What the page says at last; a development server may reload it meanwhile. */
  async function textOf(url: string): Promise<string> {
    const page = await browser.newPage();
    try {
      await page.goto(url);
      const ended = `/^(done|failed)/.test(document.querySelector('pre')?.textContent)`;
      await page.waitForFunction(ended, null, { timeout: 20_000 }).catch(() => {});
      return (await page.textContent('pre')) ?? '';
    } finally {
      await page.close();
    }
  }

  async function textOfBuilt(): Promise<string> {
    const server = await startStaticServer({ root: built });
    try {
      return await textOf(server.url);
    } finally {
      await server.close();
    }
  }

  function emptyBuilt(): void {
    rmSync(built, { recursive: true, force: true });
    mkdirSync(built);
  }

  it('is built by esbuild', { timeout: buildTimeoutMs }, async () => {
    emptyBuilt();
    const done = await node(project.folder, 'esbuild.js', built);
    expect(done, done.stderr).toMatchObject({ status: 0, stderr: '' });
    expect(await textOfBuilt()).toBe(answer);
  });

  it('says which script of a Worker is missing', { timeout: buildTimeoutMs }, async () => {
    for (const name of ['kernel-worker', 'cpu-worker']) {
      emptyBuilt();
      await node(project.folder, 'esbuild.js', built);
      rmSync(join(built, `faultline/web/${name}.js`));
      const url = `its script could not be loaded: http://127.0.0.1:\\d+/faultline/web/${name}.js`;
      expect(await textOfBuilt()).toMatch(new RegExp(`^failed\n.*${url}`));
    }
  });

  it('needs no bundler', { timeout: buildTimeoutMs }, async () => {
    emptyBuilt();
    const web = join(project.folder, 'node_modules/faultline/dist/web');
    cpSync(web, join(built, 'faultline'), { recursive: true });
    for (const name of ['index.html', 'app.js', 'program.js']) {
      const text = readFileSync(join(project.folder, name), 'utf8');
      writeFileSync(join(built, name), text.replace("'faultline'", "'./faultline/index.js'"));
    }
    expect(await textOfBuilt()).toBe(answer);
  });

  describe.each(['vite7', 'vite8'])('%s', (name) => {
    skipWithout(bundler(name))('a page', () => {
      const quiet = { logLevel: 'error' };

      it.each(['iife', 'es'])(
        'is built, Workers as %s',
        { timeout: buildTimeoutMs },
        async (format) => {
          const root = project.folder;
          const vite = await loadVite(name);
          emptyBuilt();
          const config = { root, ...quiet, worker: { format }, build: { outDir: built } };
          await vite.build(config);
          expect(await textOfBuilt()).toBe(answer);
        },
      );

      it('is served while it is developed', { timeout: buildTimeoutMs }, async () => {
        const root = project.folder;
        rmSync(join(root, 'node_modules/.vite'), { recursive: true, force: true });
        const server = await (await loadVite(name)).createServer({ root, ...quiet });
        await server.listen();
        try {
          expect(await textOf(server.resolvedUrls?.local[0] ?? '')).toBe(answer);
        } finally {
          await server.close();
        }
      });
    });
  });

  skipWithout(bundler('webpack'))('webpack', () => {
    it('builds a page without a warning', { timeout: buildTimeoutMs }, async () => {
      emptyBuilt();
      const webpack = createRequire(import.meta.url)(bundler('webpack')() ?? '') as Webpack;
      const url = pathToFileURL(join(project.folder, 'webpack.config.js')).href;
      const { default: config } = (await import(url)) as { default: object };
      const { devServer: _server, ...rest } = config as { devServer: unknown };
      // Its advice on sizes is about what a page waits for; these are the Workers' 260 KiB.
      const performance = { maxAssetSize: 400_000, maxEntrypointSize: 400_000 };
      const options = { ...rest, context: project.folder, output: { path: built }, performance };
      const stats = await new Promise<WebpackStats>((resolve, reject) =>
        webpack(options, (error, result) =>
          result === undefined ? reject(error ?? new Error('no result')) : resolve(result),
        ),
      );
      expect(stats.toString('errors-warnings')).toMatch(/compiled successfully/);
      cpSync(join(project.folder, 'index.html'), join(built, 'index.html'));
      expect(await textOfBuilt()).toBe(answer);
    });
  });
});
