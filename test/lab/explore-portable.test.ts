/**
 * Goal: a page can bundle the explorer: without lab/explore/node it needs nothing of Node.
 * Method: all of it bundled for browsers, run in a realm that has the language and nothing else,
 * with a host from outside.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import type { Laboratory } from '../../lab/explore/laboratory.ts';
import { nodeHost } from '../../lab/explore/node/node-host.ts';
import type { formatStory } from '../../lab/explore/story/story-text.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Page {
  readonly Laboratory: typeof Laboratory;
  readonly formatStory: typeof formatStory;
}

/** The explorer as a page would have it. */
async function bundlePage(): Promise<string> {
  const files = readdirSync(`${ROOT}lab/explore`, { recursive: true, encoding: 'utf8' })
    // The script of a page begins at once.
    .filter((path) => /\.ts$/.test(path) && !/^node\/|\/page\.ts$/.test(path))
    .map((path) => `import './lab/explore/${path}';`);
  const contents = `${files.join('\n')}
    export { Laboratory } from './lab/explore/laboratory.ts';
    export { formatStory } from './lab/explore/story/story-text.ts';`;
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    mainFields: ['module', 'main'],
    format: 'iife',
    globalName: 'page',
    target: 'es2022',
    logLevel: 'silent',
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => path.includes('explore/node/'))).toEqual([]);
  expect(inputs.filter((path) => path.includes('node_modules/esbuild'))).toEqual([]);
  return outputFiles[0]!.text;
}

describe('the portable explorer', () => {
  it('explores and retells in a realm without Node', async () => {
    const code = await bundlePage();
    expect(code).not.toMatch(/['"]node:/);
    const realm = createContext({});
    runInContext(code, realm);
    const { Laboratory, formatStory } = runInContext('page', realm) as Page;
    const laboratory = new Laboratory(nodeHost());
    const jobs = await laboratory.plan({
      scenarios: ['six-steps', 'lock'],
      protocols: ['rcu'],
      mutant: null,
      search: {
        strategy: 'exhaustive',
        bound: 1,
        depth: 3,
        seed: 1,
        executionsMax: 10_000,
        timeMaxMs: 60_000,
      },
    });
    const heard: string[] = [];
    const reports = await laboratory.exploreAll(jobs, 1, ({ experiment }) => {
      heard.push(experiment.scenario);
    });
    expect(heard).toEqual(['six-steps', 'lock']);
    for (const { exploration } of reports) {
      expect(exploration).toMatchObject({ complete: true, finding: null });
      expect(exploration.executions).toBeGreaterThan(2);
    }
    const retelling = await laboratory.retell('six-steps@rcu:0*2,1*2');
    expect(formatStory(retelling.story, 100)).toContain('takes the scenario lock');
  }, 30_000);
});
