/**
 * What the explore build needs from its surroundings: sources to read, a compiler, and a way to
 * load what it made. On Node these are files and esbuild (node/node-host.ts).
 */

/** Source text by path, null when there is none. Paths are as in the repository, or absolute. */
export type ReadSource = (path: string) => string | null;

/** JavaScript without types, and the source map (version 3, as JSON) that leads back. */
export interface Compiled {
  readonly code: string;
  readonly map: string;
}

/** Modules to be made into one. */
export interface ModuleTree {
  /** Code of the first module; what it exports is what the bundle exports. */
  readonly entry: string;
  /** The path of the module that `importer` means; the first module has no path: ''. */
  resolve(specifier: string, importer: string): string;
  /** The JavaScript of a module. */
  load(path: string): string;
}

/** A place where the compiled model without changes is kept from start to start. */
export interface ModelCache {
  /** null when nothing is there. */
  read(): string | null;
  write(text: string): void;
}

export interface Toolchain {
  readonly read: ReadSource;
  /** Takes the types out of a module. Rejects with an ExploreBuildError when it does not parse. */
  compile(path: string, source: string): Promise<Compiled>;
  /** Makes one ES module, without imports, of a tree. */
  bundle(tree: ModuleTree): Promise<string>;
  /** Loads an ES module from its code. */
  evaluate(code: string): Promise<Readonly<Record<string, unknown>>>;
  /** null or absent where nothing is kept. */
  readonly cache?: ModelCache | null;
}

/** A source that the build does not understand, or that contains what exploration cannot handle. */
export class ExploreBuildError extends Error {
  override readonly name = 'ExploreBuildError';
}
