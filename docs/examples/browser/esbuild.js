/**
 * esbuild does not follow `new Worker(new URL(…))`, so the two Workers and the program are entry
 * points of their own; the Workers must keep these names, relative to the bundle.
 *
 *   node esbuild.js FOLDER
 */
import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

const outdir = process.argv[2] ?? 'dist';
await build({
  entryPoints: {
    app: './app.js',
    program: './program.js',
    'faultline/web/kernel-worker': 'faultline/web/kernel-worker.js',
    'faultline/web/cpu-worker': 'faultline/web/cpu-worker.js',
  },
  bundle: true,
  format: 'esm',
  outdir,
});
await copyFile('index.html', `${outdir}/index.html`);
