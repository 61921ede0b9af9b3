/** The repository's files, read once, for the tests of the house rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { folderOf } from './tidy-rules.ts';
import type { Source } from './tidy-rules.ts';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

const present = new Set(readdirSync(root));
const sourceFolders = ['shared', 'kernel', 'workers', 'programs', 'lab', 'cli', 'web'];
const otherFolders = ['build', 'test', 'scripts', 'docs', '.ci'];

/** What package.json exports, build.mjs builds, or vitest.config.ts names: nobody imports it. */
export const entryPoints: readonly string[] = [
  'workers/index.ts',
  'workers/program.ts',
  'workers/kernel-worker.ts',
  'workers/cpu-worker.ts',
  'workers/platform-node.ts',
  'workers/platform-web.ts',
  'workers/start-worker-bundled.ts',
  'workers/start-worker-node.ts',
  'workers/start-worker-web.ts',
  'workers/typescript-hooks.ts',
  'kernel/index.ts',
  'lab/explore/model/user-api.ts',
  'cli/faultline.ts',
  'lab/bench/report/page.ts',
  'lab/explore/story/view/page.ts',
  'build/wasm/main.ts',
  'test/support/no-kernel-wasm.ts',
];

function readFolder(folder: string): Source[] {
  if (folder !== '' && !present.has(folder)) return [];
  return readdirSync(`${root}${folder}`, { recursive: folder !== '', withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(m?[jt]s|html|css|md|json)$|^run$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length).replace(/^\/+/, ''))
    .filter((path) => path !== 'package-lock.json' && !path.includes('node_modules/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));
}

export const everything: readonly Source[] = ['', ...sourceFolders, ...otherFolders].flatMap(
  readFolder,
);
export const code: readonly Source[] = everything.filter(({ path }) =>
  /\.m?[jt]s$|^\.ci\//.test(path),
);
export const typescript: readonly Source[] = code.filter(({ path }) => path.endsWith('.ts'));
export const product: readonly Source[] = typescript.filter(({ path }) =>
  sourceFolders.includes(folderOf(path)),
);
