/** One systematic mutant as a build of its own, so that it is explored and replayed like others. */
import { ExploreBuildError } from '../build/toolchain.ts';
import type { Compiled, ModuleTree, Toolchain } from '../build/toolchain.ts';
import type { Edit } from './change.ts';
import { isSubject, mutationsOf } from './generate.ts';

/** Whether this is the name of a systematic mutant: FILE:FUNCTION:OPERATOR:N. */
export function isSystematic(name: string): boolean {
  return /^kernel\/[\w./-]+\.ts:[\w.$#]+:[a-z-]+:\d+$/.test(name);
}

/** The names of all mutants of the file that a name has; none where there is no such file. */
export async function namesBeside(toolchain: Toolchain, name: string): Promise<string[]> {
  const path = pathOf(name);
  const source = isSubject(path) ? toolchain.read(path) : null;
  if (source === null) return [];
  const { code } = await toolchain.compile(path, source);
  return mutationsOf(path, code).map(({ id }) => id);
}

function pathOf(name: string): string {
  return name.slice(0, name.indexOf(':'));
}

/** The toolchain, compiling the mutant's file with its change. A build without it is refused. */
export function withMutant<Tools extends Toolchain>(toolchain: Tools, id: string): Tools {
  const path = pathOf(id);
  let isThere = false;
  return {
    ...toolchain,
    cache: null,
    // What was parsed of a file with a mark of its own is not taken for the file as it is.
    read: (file: string) => marked(toolchain.read(file), file === path ? id : ''),
    async compile(file: string, source: string): Promise<Compiled> {
      const compiled = await toolchain.compile(file, source);
      if (file !== path) return compiled;
      const mutations = isSubject(path) ? mutationsOf(path, compiled.code) : [];
      const mutation = mutations.find((one) => one.id === id);
      if (mutation === undefined) throw new ExploreBuildError(`there is no mutant ${id}`);
      // What operators write: names that the code does not have, on the line that is there.
      const root = '../'.repeat(path.split('/').length - 1);
      const head = `import { load as $load, store as $store } from '${root}shared/atomics.ts'; `;
      const start = mutation.fn.body.start + 1;
      const before = { start, end: start, text: ' let $before;' };
      isThere = true;
      return { ...compiled, code: head + edited(compiled.code, [...mutation.edits, before]) };
    },
    bundle(tree: ModuleTree) {
      // It would be explored as if the kernel were clean.
      if (!isThere) throw new ExploreBuildError(`${path} is no part of the explore build`);
      return toolchain.bundle(tree);
    },
  };
}

function marked(source: string | null, mark: string): string | null {
  return source === null || mark === '' ? source : `${source}\n// ${mark}\n`;
}

/** With the edits, on the same lines. */
function edited(code: string, edits: readonly Edit[]): string {
  let result = code;
  for (const { start, end, text } of [...edits].sort((one, other) => other.start - one.start)) {
    const lines = (part: string): number => part.split('\n').length;
    const missing = Math.max(0, lines(code.slice(start, end)) - lines(text));
    result = result.slice(0, start) + text + '\n'.repeat(missing) + result.slice(end);
  }
  return result;
}
