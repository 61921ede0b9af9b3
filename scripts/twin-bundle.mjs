/**
 * Bundles the library for Node and for pages at once, so that dist/ holds what is the same for both
 * only once: the kernel, first of all. A module differs if it leads to one that only one of the two
 * has ('#platform', '#start-worker'), to comlink, which pages have bundled, or to one that asks for
 * its own URL. Of such a module there is a twin, in the namespace 'web'.
 *
 * dist/web/ has to work alone: chunks that a page's file leads to lie there, all others in dist/.
 */
import * as esbuild from 'esbuild';
import { posix, resolve } from 'node:path';
import { readFileSync } from 'node:fs';

const WEB = 'web';

/** A module that asks for its own URL must lie where its entry point lies: no chunk of both. */
function knowsItsPlace(root, path) {
  return path.startsWith('programs/') || readFileSync(resolve(root, path)).includes('import.meta');
}

/** The modules, as paths relative to `root`, that lead to something that `differs` names. */
async function differingModules(root, entryPoints, external, differs) {
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: [...external, 'faultline'],
    logLevel: 'silent',
    write: false,
    metafile: true,
  });
  const importers = new Map();
  const found = new Set();
  for (const [path, { imports }] of Object.entries(metafile.inputs)) {
    if (knowsItsPlace(root, path)) found.add(path);
    for (const { path: target } of imports) {
      if (differs.includes(target)) found.add(path);
      importers.set(target, [...(importers.get(target) ?? []), path]);
    }
  }
  // A set goes on to what is added to it while it is walked.
  for (const path of found) for (const importer of importers.get(path) ?? []) found.add(importer);
  return found;
}

/** Resolves what the twins import: another twin, a page's stand-in, or the one for both. */
function twinPlugin(root, twins, standIns) {
  const twin = (path) => ({ path, namespace: WEB });
  return {
    name: 'twins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^web:/ }, ({ path, kind }) => {
        if (kind !== 'entry-point') return undefined;
        const source = path.slice(WEB.length + 1);
        return twins.has(source) ? twin(source) : { path: resolve(root, source) };
      });
      onResolve({ filter: /^faultline/ }, ({ path }) => {
        const source = standIns[path];
        if (source === undefined) return undefined;
        return twins.has(source) ? twin(source) : { path: resolve(root, source) };
      });
      onResolve({ filter: /./, namespace: WEB }, ({ path, importer }) => {
        const standIn = standIns[path];
        const source = path.startsWith('.') ? posix.join(posix.dirname(importer), path) : standIn;
        if (source === undefined) return { path, external: true };
        return twins.has(source) ? twin(source) : { path: resolve(root, source) };
      });
      onLoad({ filter: /./, namespace: WEB }, ({ path }) => ({
        contents: readFileSync(resolve(root, path), 'utf8'),
        loader: 'ts',
        resolveDir: resolve(root, posix.dirname(path)),
      }));
    },
  };
}

/** Which outputs the files in dist/web/ that are entries lead to, themselves included. */
function reachableFromWeb(outputs) {
  const isWebEntry = (path) =>
    path.startsWith('dist/web/') && outputs[path].entryPoint !== undefined && !isChunk(path);
  const reached = new Set(Object.keys(outputs).filter(isWebEntry));
  for (const path of reached) {
    for (const { path: target } of outputs[path].imports) {
      if (target in outputs) reached.add(target);
    }
  }
  return reached;
}

function isChunk(path) {
  return /\/chunk-\w+\.js$/.test(path);
}

/** The text with the places of the files that it imports as they are at last. */
function relocated(text, from, imports, placeOf) {
  const here = posix.dirname(placeOf.get(from));
  const pattern = /\b((?:from|import)\s*\(?\s*)(["'])(\.{1,2}\/[\w./-]+\.js)\2/g;
  return text.replace(pattern, (all, before, quote, specifier) => {
    const target = posix.join(posix.dirname(from), specifier);
    if (!imports.some(({ path }) => path === target)) return all;
    const path = posix.relative(here, placeOf.get(target));
    return `${before}${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`;
  });
}

/**
 * Entry points by output name, relative to dist/; those of `web` go to dist/web/. `standIns` are
 * the files that pages get for a name; `plugins` come before all that. Returns the files: path
 * relative to `root`, text, inputs.
 */
export async function twinBundle({ root, node, web, external, standIns, plugins, options }) {
  const scanned = [...Object.values(node), ...Object.values(web)];
  const differs = ['#platform', '#start-worker', 'comlink', 'faultline'];
  const twins = await differingModules(root, [...new Set(scanned)], external, differs);
  const entries = [
    ...Object.entries(node).map(([out, source]) => ({ in: source, out })),
    ...Object.entries(web).map(([out, source]) => ({ in: `${WEB}:${source}`, out: `web/${out}` })),
  ];
  const { outputFiles, metafile } = await esbuild.build({
    ...options,
    absWorkingDir: root,
    entryPoints: entries,
    outdir: 'dist',
    chunkNames: 'web/chunk-[hash]',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external,
    plugins: [...plugins, twinPlugin(root, twins, standIns)],
    write: false,
    metafile: true,
  });
  const ofPages = reachableFromWeb(metafile.outputs);
  const paths = Object.keys(metafile.outputs);
  const placeOf = new Map(
    paths.map((path) => {
      const stays = !isChunk(path) || ofPages.has(path);
      return [path, stays ? path : path.replace('dist/web/', 'dist/')];
    }),
  );
  return outputFiles.map((file) => {
    const path = posix.relative(root.replaceAll('\\', '/'), file.path.replaceAll('\\', '/'));
    const { inputs, imports } = metafile.outputs[path];
    const text = relocated(file.text, path, imports, placeOf);
    return { path: placeOf.get(path), text, inputs: Object.keys(inputs) };
  });
}
