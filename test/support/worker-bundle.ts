/** Turns TypeScript that imports the sources into a module that a real Worker can load. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const testFolder = fileURLToPath(new URL('../machine', import.meta.url));

export interface WorkerBundle {
  readonly url: URL;
  remove(): void;
}

/** `source` may import '../../workers/….ts' as if it stood in test/machine/. */
export async function bundleWorker(source: string): Promise<WorkerBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
  const file = join(folder, 'worker.mjs');
  await build({
    stdin: { contents: source, resolveDir: testFolder, loader: 'ts', sourcefile: 'worker.ts' },
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'es2022',
    alias: {
      '#platform': join(testFolder, '../../workers/platform-node.ts'),
      '#kernel-wasm': join(testFolder, '../../dist/.build/kernel-wasm.mjs'),
    },
  });
  return {
    url: pathToFileURL(file),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
