/**
 * Builds and loads the explore build: the kernel and the scenarios as generators over the explore
 * façade, as one ES module. Takes about a third of a second.
 */
import { rm, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as modelModule from '../model/index.ts';
import { buildCallGraph } from './call-graph.ts';
import type { Facade } from './call-types.ts';
import { color } from './color.ts';
import { ExploreBuildError, loadModules, resolveExport } from './module-graph.ts';
import type { Module, ReadSource } from './module-graph.ts';
import { projectSources } from './sources.ts';
import type { Site } from './transform.ts';
import { RUNTIME_MODULE, transformModules } from './transform.ts';

const ATOMICS = 'shared/atomics.ts';
const FACADE_PATH = 'lab/explore/runtime/facade.ts';
const ENTRY = 'lab/explore/model/index.ts';
const LIMITS = 'shared/limits.ts';

const ORDERED = ['load', 'store', 'exchange', 'compareExchange', 'add', 'or', 'and'];
const OTHER_STEPS = ['wait', 'notify', 'pause', 'weakLoad', 'userLoad', 'userStore', 'endCpu'];
const FACADE_STEPS: ReadonlySet<string> = new Set([...ORDERED, ...OTHER_STEPS]);

/** A named change of one source text, which must occur there exactly once. */
export interface Patch {
  readonly path: string;
  readonly find: string;
  readonly replace: string;
}

export interface ModelOptions {
  readonly patches?: readonly Patch[];
  /** Absolute paths of the user's modules; their namespaces come back in this order. */
  readonly userModules?: readonly string[];
  /** Turns of a spin before a waiter sleeps. 0 explores the sleeping, which is the harder half. */
  readonly spinTurns?: number;
  /** False keeps the limits of the normal build, for comparing with it. */
  readonly smallLimits?: boolean;
  readonly read?: ReadSource;
  /** Modules whose plain stores are scheduling points, because others read them without a lock. */
  readonly pokeSteps?: readonly string[];
  /** Makes all plain accesses scheduling points: to measure what leaving them out saves. */
  readonly yieldPlain?: boolean;
}

export type ModelModule = typeof modelModule;

export interface Model {
  readonly module: ModelModule;
  readonly userModules: readonly Readonly<Record<string, unknown>>[];
  /** Where each numbered access stands. */
  readonly sites: readonly Site[];
}

/** Builds the model with these patches and user modules, and loads it. */
export async function buildModel(options: ModelOptions = {}): Promise<Model> {
  const { userModules = [] } = options;
  const built = await bundleModel(options);
  const folder = await mkdtemp(join(tmpdir(), 'faultline-explore-'));
  try {
    const file = join(folder, 'model.mjs');
    await writeFile(file, built.code);
    const loaded = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      model: ModelModule;
    } & Record<string, Readonly<Record<string, unknown>>>;
    return {
      module: loaded.model,
      userModules: userModules.map((_, i) => loaded[`user${i}`] ?? {}),
      sites: built.sites,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The code of the model, for those who want to look at it. */
export async function bundleModel(options: ModelOptions): Promise<{ code: string; sites: Site[] }> {
  const { userModules = [] } = options;
  const read = patchedSources(options);
  const modules = await loadModules([ENTRY, FACADE_PATH, ...userModules], read);
  const { pokeSteps = [], yieldPlain = false } = options;
  const facade: Facade = {
    paths: new Set([ATOMICS, FACADE_PATH]),
    steps: FACADE_STEPS,
    isStep(access, path) {
      if (access !== 'peek' && access !== 'poke') return false;
      return yieldPlain || (access === 'poke' && pokeSteps.includes(path));
    },
  };
  const graph = buildCallGraph(modules, facade, isPlain);
  const sites: Site[] = [{ place: '?', caller: '?', access: '?' }];
  const transformed = transformModules(graph, color(graph), sites);
  checkImports(modules);
  return { code: await bundle(modules, transformed, userModules), sites };
}

/** Modules that are not explored: values only, and the runtime itself. */
function isPlain(path: string): boolean {
  return path.startsWith('shared/') || path.startsWith('lab/explore/runtime/');
}

function patchedSources(options: ModelOptions): ReadSource {
  const { patches = [], spinTurns = 0, smallLimits = true, read } = options;
  const base = read ?? projectSources();
  const limit = (name: string, usual: number, value: number): Patch => ({
    path: LIMITS,
    find: `export const ${name} = ${usual};`,
    replace: `export const ${name} = ${value};`,
  });
  // Nobody explores eight thousand processes, and every audit walks their table.
  const limits = [limit('SPIN_TURNS', 400, spinTurns), limit('PROCESSES_MAX', 8192, 16)];
  const all = smallLimits ? [...patches, ...limits] : patches;
  return (path) => {
    let source = base(path);
    for (const patch of all) {
      if (patch.path !== path || source === null) continue;
      const found = source.split(patch.find).length - 1;
      if (found !== 1) {
        throw new ExploreBuildError(
          `${path}: the patched text occurs ${found} times, not once: ${patch.find.trim()}`,
        );
      }
      source = source.replace(patch.find, () => patch.replace);
    }
    return source;
  };
}

/** esbuild would only warn of a name that is not exported. */
function checkImports(modules: ReadonlyMap<string, Module>): void {
  for (const module of modules.values()) {
    for (const { path, name } of module.imports.values()) {
      if (name === '*' || resolveExport(modules, path, name) !== null) continue;
      throw new ExploreBuildError(`${module.path}: ${path} has no export ${name}`);
    }
  }
}

async function bundle(
  modules: ReadonlyMap<string, Module>,
  transformed: ReadonlyMap<string, string>,
  userModules: readonly string[],
): Promise<string> {
  const esbuild = await import('esbuild');
  const lines = [`export * as model from '${ENTRY}';`];
  userModules.forEach((path, i) => lines.push(`export * as user${i} from '${path}';`));
  const result = await esbuild.build({
    stdin: { contents: lines.join('\n'), loader: 'js', sourcefile: 'explore-entry.js' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'silent',
    plugins: [
      {
        name: 'explore',
        setup(build) {
          build.onResolve({ filter: /.*/ }, ({ path, importer }) => {
            const target = targetOf(path, importer);
            return { path: target === ATOMICS ? FACADE_PATH : target, namespace: 'explore' };
          });
          build.onLoad({ filter: /.*/, namespace: 'explore' }, ({ path }) => ({
            contents: transformed.get(path) ?? modules.get(path)?.code ?? '',
            loader: 'js',
          }));
        },
      },
    ],
  });
  return result.outputFiles[0]?.text ?? '';
}

function targetOf(specifier: string, importer: string): string {
  if (specifier === RUNTIME_MODULE) return FACADE_PATH;
  if (specifier === 'faultline/kernel') return 'kernel/index.ts';
  if (specifier === 'faultline/explore') return 'lab/explore/model/user-api.ts';
  return specifier.startsWith('.') ? posix.join(posix.dirname(importer), specifier) : specifier;
}
