/** Changes of source text that the explore build applies: seeded bugs, and smaller limits. */
import { ExploreBuildError } from './toolchain.ts';
import type { ReadSource } from './toolchain.ts';

/** A change of one source text. `find` must occur there exactly once. */
export interface Patch {
  readonly path: string;
  readonly find: string;
  readonly replace: string;
}

export function patch(path: string, find: string, replace: string): Patch {
  return { path, find, replace };
}

/** Reads sources with the patches applied. */
export function patchedSources(read: ReadSource, patches: readonly Patch[]): ReadSource {
  return (path) => {
    let source = read(path);
    for (const { path: patched, find, replace } of patches) {
      if (patched !== path || source === null) continue;
      const found = source.split(find).length - 1;
      if (found !== 1) {
        throw new ExploreBuildError(
          `${path}: the patched text occurs ${found} times, not once: ${find.trim()}`,
        );
      }
      source = source.replace(find, () => replace);
    }
    return source;
  };
}
