/**
 * The compiled kernel for the bundles of dist/: runs the compiler of build/wasm, if its sources or
 * the kernel's have changed, and stands for '#kernel-wasm' and '#kernel-wasm-bytes'.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';

/** Where its files are, below dist/.build/. */
const compiler = 'wasm-compiler.mjs';
const stamp = 'kernel-wasm.stamp';

function hashOf(root, paths) {
  const hash = createHash('sha256').update(root);
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

/**
 * Brings the compiled kernel up to date; `paths` are the files that it depends on. Returns false,
 * having said why, when a construct is outside the compiler's subset.
 */
export async function compileKernel(root, folder, paths) {
  const inputs = hashOf(root, paths);
  const stampPath = join(folder, stamp);
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === inputs) return true;
  mkdirSync(folder, { recursive: true });
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['build/wasm/main.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: join(folder, compiler),
    logLevel: 'warning',
  });
  // In a process of its own: the compiler takes 400 MB. What it says belongs on stderr.
  const args = [join(folder, compiler), root, folder];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) return false;
  writeFileSync(stampPath, inputs);
  return true;
}

/** For esbuild: what the two names stand for. */
export function kernelWasmPlugin(folder) {
  return {
    name: 'kernel-wasm',
    setup({ onResolve }) {
      onResolve({ filter: /^#kernel-wasm(-bytes)?$/ }, ({ path }) => ({
        path: join(folder, `${path.slice(1)}.mjs`),
      }));
    },
  };
}
