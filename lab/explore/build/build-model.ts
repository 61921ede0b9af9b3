/**
 * Builds and loads the explore build: the kernel and the scenarios as generators over the explore
 * façade, as one ES module. Takes about a third of a second.
 */
import type * as modelModule from '../model/index.ts';
import { buildCallGraph } from './call-graph.ts';
import type { Facade } from './call-types.ts';
import { color } from './color.ts';
import { loadModules, resolveExport } from './module-graph.ts';
import type { Module } from './module-graph.ts';
import { patch, patchedSources } from './patch.ts';
import type { Patch } from './patch.ts';
import { resolveSpecifier } from './specifiers.ts';
import { ExploreBuildError } from './toolchain.ts';
import type { Toolchain } from './toolchain.ts';
import type { Site } from './transform.ts';
import { RUNTIME_MODULE, transformModules } from './transform.ts';

const ATOMICS = 'shared/atomics.ts';
const FACADE_PATH = 'lab/explore/runtime/facade.ts';
const ENTRY = 'lab/explore/model/index.ts';
const LIMITS = 'shared/limits.ts';

const ORDERED = ['load', 'store', 'exchange', 'compareExchange', 'add', 'or', 'and'];
const OTHER_STEPS = ['wait', 'notify', 'pause', 'weakLoad', 'userLoad', 'userStore', 'endCpu'];
const FACADE_STEPS: ReadonlySet<string> = new Set([...ORDERED, ...OTHER_STEPS]);

export interface ModelOptions {
  readonly patches?: readonly Patch[];
  /** Absolute paths of the user's modules; their namespaces come back in this order. */
  readonly userModules?: readonly string[];
  /** Turns of a spin before a waiter sleeps. 0 explores sleeping, the harder case. */
  readonly spinTurns?: number;
  /** False keeps the limits of the normal build, for comparing with it. */
  readonly smallLimits?: boolean;
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
export async function buildModel(toolchain: Toolchain, options: ModelOptions = {}): Promise<Model> {
  const { userModules = [] } = options;
  const { code, sites } = await bundleOrRecall(toolchain, options);
  const loaded = (await toolchain.evaluate(code)) as { model: ModelModule } & Record<
    string,
    Readonly<Record<string, unknown>>
  >;
  return {
    module: loaded.model,
    userModules: userModules.map((_, i) => loaded[`user${i}`] ?? {}),
    sites,
  };
}

interface Bundled {
  readonly code: string;
  readonly sites: readonly Site[];
}

/** The model without changes may have been kept. */
async function bundleOrRecall(toolchain: Toolchain, options: ModelOptions): Promise<Bundled> {
  const isUsual = Object.values(options).every((value) => Array.isArray(value) && value.length < 1);
  const cache = isUsual ? (toolchain.cache ?? null) : null;
  const kept = cache?.read() ?? null;
  if (kept !== null) return JSON.parse(kept) as Bundled;
  const bundled = await bundleModel(toolchain, options);
  cache?.write(JSON.stringify(bundled));
  return bundled;
}

/** The code of the model, for those who want to look at it. */
export async function bundleModel(
  toolchain: Omit<Toolchain, 'evaluate'>,
  options: ModelOptions,
): Promise<{ code: string; sites: Site[] }> {
  const { userModules = [] } = options;
  const read = patchedSources(toolchain.read, patchesOf(options));
  const compiler = { read, compile: toolchain.compile };
  const modules = await loadModules([ENTRY, FACADE_PATH, ...userModules], compiler);
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
  const entry = [`export * as model from '${ENTRY}';`];
  userModules.forEach((path, i) =>
    entry.push(`export * as user${i} from ${JSON.stringify(path)};`),
  );
  const code = await toolchain.bundle({
    entry: entry.join('\n'),
    resolve: resolveInBundle,
    load: (path) => transformed.get(path) ?? modules.get(path)?.code ?? '',
  });
  return { code, sites };
}

/** Modules that are not explored: values only, and the runtime itself. */
function isPlain(path: string): boolean {
  return path.startsWith('shared/') || path.startsWith('lab/explore/runtime/');
}

/** The patches of the options, and those that make the model's limits small. */
function patchesOf({ patches = [], spinTurns = 0, smallLimits = true }: ModelOptions): Patch[] {
  if (!smallLimits) return [...patches];
  const limit = (name: string, usual: number, value: number): Patch =>
    patch(LIMITS, `export const ${name} = ${usual};`, `export const ${name} = ${value};`);
  return [
    ...patches,
    limit('SPIN_TURNS', 400, spinTurns),
    // Scenarios need few processes, and every audit walks the whole pid table.
    limit('PROCESSES_MAX', 8192, 16),
    // What overflows on a busy machine overflows here: rings, thresholds, counters.
    limit('TLB_RING', 16, 2),
    limit('TLB_FLUSH_ALL_PAGES', 32, 2),
    limit('DMESG_ENTRIES', 1024, 4),
    limit('FIRST_GENERATION', 0, 2 ** 31 - 2),
  ];
}

/** A bundler may only warn of a name that is not exported. */
function checkImports(modules: ReadonlyMap<string, Module>): void {
  for (const module of modules.values()) {
    for (const { path, name } of module.imports.values()) {
      if (name === '*' || resolveExport(modules, path, name) !== null) continue;
      throw new ExploreBuildError(`${module.path}: ${path} has no export ${name}`);
    }
  }
}

/** Where an import leads in the bundle: as in the sources, but for the atomics. */
function resolveInBundle(specifier: string, importer: string): string {
  if (specifier === RUNTIME_MODULE) return FACADE_PATH;
  const path = resolveSpecifier(specifier, importer) ?? specifier;
  return path === ATOMICS ? FACADE_PATH : path;
}
