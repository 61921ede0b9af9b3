/**
 * Builds dist/ from the sources.
 *
 *   node build.mjs              JavaScript and type declarations
 *   node build.mjs --no-types   JavaScript only (a fraction of a second)
 *   node build.mjs serve [PORT] serves the repository with the headers that SharedArrayBuffer needs
 *
 * Layout of dist/: all library files and their chunks lie flat beside each other, so that
 * `new URL('./cpu-worker.js', import.meta.url)` finds the Worker from whichever file it stands in;
 * built-in programs in dist/programs/. dist/web/ is for pages without a bundler, and works alone:
 * there '#platform', '#start-worker' and comlink are bundled, because import maps do not reach
 * Workers. It also has the chunks that Node and pages share (scripts/twin-bundle.mjs), and the
 * lab's page: scripts of web/, index.html, lessons.
 *
 * Guarantees: nothing is done when no input changed; each file is replaced by a rename, so a
 * process that runs from dist/ meanwhile never reads half a file; files of earlier builds are
 * removed last.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { exploreSources } from './scripts/explore-build.mjs';
import { compileKernel, kernelWasmPlugin } from './scripts/kernel-wasm.mjs';
import { minified, withImportComments } from './scripts/minify.mjs';
import { pageSources } from './scripts/page-sources.mjs';
import { twinBundle } from './scripts/twin-bundle.mjs';
import { replaceFile } from './scripts/replace-file.mjs';
import { keepPublicTypes } from './scripts/public-types.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const dist = join(root, 'dist');
const stamps = join(dist, '.build');

/** Folders whose TypeScript goes into dist/. */
const sourceFolders = ['build', 'shared', 'kernel', 'workers', 'programs', 'lab', 'cli', 'web'];
const configFiles = [
  'scripts/static-server.mjs',
  'build.mjs',
  'scripts/explore-build.mjs',
  'scripts/minify.mjs',
  'scripts/page-sources.mjs',
  'scripts/twin-bundle.mjs',
  'scripts/kernel-wasm.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Entry points by output name; '#platform' and '#start-worker' choose a file at run time. */
const libraryEntries = {
  index: 'workers/index.ts',
  program: 'workers/program.ts',
  kernel: 'kernel/index.ts',
  'memory-set': 'kernel/areas/index.ts',
  'kernel-worker': 'workers/kernel-worker.ts',
  'cpu-worker': 'workers/cpu-worker.ts',
};
const nodeEntries = {
  'platform-node': 'workers/platform-node.ts',
  'platform-web': 'workers/platform-web.ts',
  'start-worker-node': 'workers/start-worker-node.ts',
  'start-worker-bundled': 'workers/start-worker-bundled.ts',
  'typescript-hooks': 'workers/typescript-hooks.ts',
  faultline: 'cli/faultline.ts',
  'stress-program': 'lab/stress/stress-program.ts',
  'storm-program': 'lab/stress/storm-program.ts',
  'fuzz-program': 'lab/stress/fuzz-program.ts',
  'bench-worker': 'lab/bench/protocols/bench-worker.ts',
  explore: 'lab/explore/model/user-api.ts',
  'explore-worker': 'lab/explore/node/explore-worker.ts',
  'mutate-worker': 'lab/explore/node/mutate-worker.ts',
  'difftest-host': 'lab/difftest/difftest-host.ts',
  'bench-program': 'lab/bench/machine/bench-program.ts',
  'bench-peer': 'lab/bench/machine/bench-peer.ts',
};

/** The benchmarks' Worker once more, over atomics that count: see lab/bench/protocols/meter.ts. */
const countingEntries = {
  'bench-counting-worker': 'lab/bench/protocols/bench-worker.ts',
  // What a user's protocol imports as 'faultline/kernel' in the counting pass.
  'bench-counting-kernel': 'kernel/index.ts',
};
const countingTwin = join(root, 'lab/bench/protocols/counting-atomics.ts');
const counted = ['shared/atomics.ts', 'lab/bench/protocols/meter.ts'];
const countedModules = counted.map((path) => join(root, path));
const countingPlugin = {
  name: 'counting',
  setup({ onResolve }) {
    onResolve({ filter: /\/(atomics|meter)\.ts$/ }, ({ path, resolveDir, importer }) => {
      const isCounted = countedModules.includes(resolve(resolveDir, path));
      return isCounted && importer !== countingTwin ? { path: countingTwin } : undefined;
    });
  },
};

/** uPlot, which a report of a benchmark contains and the page loads: users need not install it. */
const chartEntries = { uplot: 'uplot' };
/** For a script that comes after it. */
const chartPlugin = {
  name: 'charts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^uplot$/ }, ({ path }) => ({ path, namespace: 'global' }));
    onLoad({ filter: /./, namespace: 'global' }, () => ({ contents: 'module.exports = uPlot;' }));
  },
};

/** What every HTML report of a benchmark contains besides. */
const reportEntries = {
  'bench-page': 'lab/bench/report/page.ts',
  'bench-style': 'lab/bench/report/page.css',
};

/** What every page of a failure that the explorer found contains. */
const storyEntries = {
  'story-page': 'lab/explore/story/view/page.ts',
  'story-style': 'lab/explore/story/view/page.css',
};

/** What a page's script gets for a name that it cannot, or need not, resolve itself. */
const pageStandIns = {
  '#platform': 'workers/platform-web.ts',
  '#start-worker': 'workers/start-worker-web.ts',
  comlink: 'node_modules/comlink/dist/esm/comlink.mjs',
  faultline: 'workers/index.ts',
  'faultline/program': 'workers/program.ts',
};

/** Files under `folder`, recursively, as sorted paths relative to the repository. */
function filesUnder(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

/** Entry points `<folder>/NAME.ts`, to be built as `<outFolder>NAME.js`. */
function entriesIn(folder, outFolder) {
  const entries = {};
  for (const path of filesUnder(folder)) {
    const name = /^[a-z]+\/([a-z0-9-]+)\.ts$/.exec(path)?.[1];
    if (name !== undefined) entries[`${outFolder}${name}`] = path;
  }
  return entries;
}

/** Scripts of pages, which lie beside the library in dist/web/ and must not take its names. */
function pageEntries() {
  const pages = entriesIn('web', '');
  const taken = Object.keys(pages).find((name) => name in libraryEntries);
  if (taken !== undefined) throw new Error(`web/${taken}.ts would replace dist/web/${taken}.js`);
  return pages;
}

/** What the page consists of besides scripts, written beside them. */
function writePage() {
  const copied = filesUnder('web').filter((path) => /\.(html|json)$/.test(path));
  const texts = copied.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return [path, path.endsWith('.json') ? JSON.stringify(JSON.parse(text)) : text];
  });
  for (const [path, text] of [...texts, ['web/sources.json', pageSources(root)]]) {
    replaceFile(join(dist, path), Buffer.from(text));
  }
}

/** What dist/ is made of, as paths relative to the repository. */
export function inputFiles() {
  return [...sourceFolders.flatMap(filesUnder), ...configFiles];
}

function hashInputs() {
  const hash = createHash('sha256');
  for (const path of inputFiles()) {
    hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex');
}

function readStamp(name) {
  const path = join(stamps, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function writeStamp(name, value) {
  mkdirSync(stamps, { recursive: true });
  writeFileSync(join(stamps, name), value);
}

/** Options of every bundle. */
const common = {
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
};

/** Writes scripts, chunks before the entries that import them; returns their absolute paths. */
async function writeScripts(files) {
  const isEntry = ({ path }) => !/\/chunk-\w+\.js$/.test(path);
  for (const file of [...files].sort((a, b) => isEntry(a) - isEntry(b))) {
    const text = withImportComments(await minified(file.text, file.inputs));
    replaceFile(join(root, file.path), Buffer.from(text));
  }
  return files.map(({ path }) => join(root, path));
}

/** Bundles `entries` into `outdir` and returns the written files' absolute paths. */
async function bundle(entries, outdir, options) {
  const { outputFiles } = await esbuild.build({
    ...common,
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: source, out })),
    outdir,
    chunkNames: 'chunk-[hash]',
    minify: true,
    write: false,
    ...options,
  });
  for (const file of outputFiles) replaceFile(file.path, Buffer.from(file.contents));
  return outputFiles.map((file) => file.path);
}

/**
 * Packages that dist/ contains, so that an installation need not: dist/web/ contains comlink, the
 * command the others.
 */
const bundledPackages = ['acorn', 'comlink', 'uplot', 'yocto-spinner', 'yoctocolors'];

function licenceOf(name) {
  const folder = join(root, 'node_modules', name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  return readFileSync(join(folder, file), 'utf8');
}

function licenceText(name) {
  return `${name}\n\n${licenceOf(name).trim()}\n`;
}

/** What workers/start-worker-bundled.ts names, where that is taken to be relative to it. */
const bundledWorkers = ['kernel-worker.js', 'cpu-worker.js'];

function writeBundledWorker(name) {
  const path = join(dist, 'faultline/web', name);
  replaceFile(path, Buffer.from(`import '../../web/${name}';\n`));
  return path;
}

async function buildJavaScript() {
  const programs = entriesIn('programs', 'programs/');
  const library = await twinBundle({
    root,
    node: { ...libraryEntries, ...nodeEntries, ...programs },
    web: { ...libraryEntries, ...pageEntries(), ...programs },
    external: ['comlink', 'esbuild', 'koffi', 'node:*', '#*'],
    standIns: pageStandIns,
    plugins: [kernelWasmPlugin(stamps)],
    // An installation is to stay small; names are kept, for stack traces.
    options: { ...common, minifyWhitespace: true, lineLimit: 160 },
  });
  const written = [
    ...(await writeScripts(library)),
    ...(await bundle(countingEntries, dist, {
      platform: 'neutral',
      external: ['node:*', '#*'],
      plugins: [countingPlugin],
    })),
    ...(await bundle(chartEntries, join(dist, 'web'), {
      format: 'iife',
      splitting: false,
      globalName: 'uPlot',
      footer: { js: 'uPlot=uPlot.default;' },
      banner: { js: `/*! uPlot: ${licenceOf('uplot')}*/` },
    })),
    ...(await bundle(reportEntries, dist, {
      format: 'iife',
      splitting: false,
      plugins: [chartPlugin],
    })),
    ...(await bundle(storyEntries, dist, { format: 'iife', splitting: false })),
  ];
  written.push(...(await bundle({ lab: 'web/lab.css' }, join(dist, 'web'))));
  writePage();
  written.push(...bundledWorkers.map(writeBundledWorker));
  replaceFile(
    join(dist, 'licences.txt'),
    Buffer.from(bundledPackages.map(licenceText).join('\n\n')),
  );
  replaceFile(join(dist, 'explore-sources.json.br'), brotliCompressSync(exploreSources(root)));
  chmodSync(join(dist, 'faultline.js'), 0o755);
  const current = new Set(written.map((path) => relative(root, path).replaceAll('\\', '/')));
  for (const path of filesUnder('dist')) {
    if (/\.js(\.map)?$/.test(path) && !current.has(path)) rmSync(join(root, path), { force: true });
  }
}

/** Writes dist/types and returns whether the sources have no type error. */
function buildTypes() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', 'tsconfig.build.json'];
  // tsc reports on stdout; that belongs to the command this build may run before.
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) keepPublicTypes(root);
  return status === 0;
}

/** Brings dist/ up to date; returns false when the sources do not compile, or have type errors. */
export async function build({ types = true } = {}) {
  const inputs = hashInputs();
  if (readStamp('js') !== inputs) {
    const compiled = inputFiles().filter((path) => /^(build|shared|kernel)\//.test(path));
    if (!(await compileKernel(root, stamps, compiled))) return false;
    try {
      await buildJavaScript();
    } catch (error) {
      if (!Array.isArray(error.errors)) throw error;
      return false; // esbuild has printed what is wrong and where.
    }
    writeStamp('js', inputs);
  }
  if (!types || readStamp('types') === inputs) return true;
  const isClean = buildTypes();
  if (isClean) writeStamp('types', inputs);
  return isClean;
}

async function main() {
  const [command, port] = process.argv.slice(2);
  const types = command !== '--no-types' && command !== 'serve';
  if (!(await build({ types }))) process.exitCode = 1;
  if (command !== 'serve') return;
  const { startStaticServer } = await import('./scripts/static-server.mjs');
  const server = await startStaticServer({ root, port: Number(port ?? 8080) });
  console.log(server.url);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
