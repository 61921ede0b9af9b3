/** The explore build with all systematic mutants in it, and what is in it. */
import { bundleModel } from '../build/build-model.ts';
import type { Model, ModelModule } from '../build/build-model.ts';
import { decodeLineMap, originalLine } from '../build/line-map.ts';
import type { LineMap } from '../build/line-map.ts';
import type { Compiled, Toolchain } from '../build/toolchain.ts';
import type { OperatorName } from './change.ts';
import { describeMutation, isSubject, mutationsOf } from './generate.ts';
import type { Mutation } from './generate.ts';
import { originalName, statementAround, withSchemata } from './schemata.ts';
import type { Numbered } from './schemata.ts';

/** A systematic mutant of a build. */
export interface MutantInfo {
  /** file:function:operator:n. */
  readonly id: string;
  readonly path: string;
  readonly functionName: string;
  readonly operator: OperatorName;
  /** In the TypeScript. */
  readonly line: number;
  /** What is changed into what, in the source without its types. */
  readonly change: string;
  /** In the build, from 1. */
  readonly number: number;
  /** Index in the record of executed places. */
  readonly place: number;
}

export interface SchemataBuild {
  readonly mutants: readonly MutantInfo[];
  /** A copy of the model with a machine, race detector and switch of its own. */
  load(): Promise<Model>;
  /** The kernel's code and its mutants: different when any of it is. */
  readonly kernel: string;
  /** All other code of the build: scenarios and what they are made of. */
  readonly scenarios: string;
}

/** Makes texts of different builds different for the explore build's cache of parsed modules. */
let builds = 0;

/** Builds it; takes some seconds. */
export async function buildSchemata(toolchain: Toolchain): Promise<SchemataBuild> {
  const mark = `\n// mutants ${++builds}`;
  const mutants: MutantInfo[] = [];
  const texts = { kernel: [] as string[], scenarios: [] as string[] };
  let places = 0;
  const numbered = (mutations: readonly Mutation[], lines: LineMap): Numbered[] => {
    const placeOf = new Map<unknown, number>();
    return mutations.map((mutation) => {
      const { statement } = statementAround(mutation.fn.body, mutation.at);
      const place = placeOf.get(statement) ?? places++;
      placeOf.set(statement, place);
      mutants.push(infoOf(mutation, mutants.length + 1, place, lines));
      return { mutation, number: mutants.length, place };
    });
  };
  const { code, sites } = await bundleModel(
    {
      ...toolchain,
      read(path) {
        const source = toolchain.read(path);
        return source === null || !isCounted(path) ? source : source + mark;
      },
      async compile(path, source): Promise<Compiled> {
        const compiled = await toolchain.compile(path, source);
        texts[/^(kernel|shared)\//.test(path) ? 'kernel' : 'scenarios'].push(compiled.code);
        if (!source.endsWith(mark)) return compiled;
        const mutations = isSubject(path) ? mutationsOf(path, compiled.code) : [];
        const its = numbered(mutations, decodeLineMap(compiled.map));
        return withSchemata(path, compiled, its);
      },
    },
    {},
  );
  const named = sites.map((site) => ({ ...site, caller: originalName(site.caller) }));
  return {
    mutants,
    kernel: [...texts.kernel, ...mutants.map(({ id, change }) => `${id} ${change}`)].join('\n'),
    scenarios: texts.scenarios.join('\n'),
    async load() {
      const { model } = (await toolchain.evaluate(code)) as { model: ModelModule };
      return { module: model, userModules: [], sites: named };
    },
  };
}

/** Modules whose loops are counted: a mutant may make those of another module endless. */
function isCounted(path: string): boolean {
  return path.startsWith('kernel/') || path.startsWith('lab/explore/model/');
}

function infoOf(mutation: Mutation, number: number, place: number, lines: LineMap): MutantInfo {
  const { id, path, operator, fn, at } = mutation;
  const { line, column } = at.loc.start;
  return {
    ...{ id, path, functionName: fn.name, operator, number, place },
    line: originalLine(lines, line, column),
    change: describeMutation(mutation),
  };
}
