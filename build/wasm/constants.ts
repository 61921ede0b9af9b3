/** Values that kernel modules compute when they are loaded: the modules are run, at build time. */
import { join } from 'node:path';
import * as esbuild from 'esbuild';

/** What the modules of a folder export, by path. */
export class Constants {
  readonly #root: string;
  readonly #modules = new Map<string, Readonly<Record<string, unknown>>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The number at `keys` of what `path` exports, or null. */
  numberAt(path: string, keys: readonly string[]): number | null {
    let value: unknown = this.#load(path);
    for (const key of keys) {
      if (typeof value !== 'object' || value === null) return null;
      value = (value as Readonly<Record<string, unknown>>)[key];
    }
    return typeof value === 'number' ? value : null;
  }

  #load(path: string): Readonly<Record<string, unknown>> {
    let exports = this.#modules.get(path);
    if (exports === undefined) {
      const { outputFiles } = esbuild.buildSync({
        entryPoints: [join(this.#root, path)],
        bundle: true,
        format: 'cjs',
        write: false,
      });
      const module = { exports: {} };
      const code = outputFiles[0]?.text ?? '';
      // Kernel modules do nothing but define: house rules see to that.
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      (new Function('module', 'exports', code) as (...args: unknown[]) => void)(module, {});
      exports = module.exports;
      this.#modules.set(path, exports);
    }
    return exports;
  }
}
