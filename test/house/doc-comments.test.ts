/**
 * Goal: whatever users can name has a doc comment, and whatever it mentions can be named too.
 * Method: the entry points of package.json as the compiler sees them; the checker is first shown
 * sources in which both are missing.
 */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { publicApi } from './public-api.ts';
import { root } from './repository.ts';

/** Types of the language itself are not looked at. */
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  noLib: true,
  types: [],
};

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types?: string }>>;
}

function entryPoints(): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;
  const typed = Object.entries(exports).filter(([, { types }]) => types !== undefined);
  return Object.fromEntries(
    typed.map(([name, { types = '' }]) => [
      name.replace('.', 'faultline'),
      types.replace('./dist/types/', '').replace(/\.d\.ts$/, '.ts'),
    ]),
  );
}

const sample: Readonly<Record<string, string>> = {
  'index.ts': `
    export * from './other.ts';
    export * as space from './space.ts';
    /** Documented. */
    export interface Tea {
      /** So is it. */
      sugar: number;
      milk: number;
      brew(): { hot: boolean };
    }
    /** A class. */
    export class Pot implements Tea {
      #lid = 0; private rim = 0; sugar = 1; milk = 2;
      /** Makes it. */
      brew(): { hot: boolean } { const inner = 0; return { hot: inner === 0 }; }
    }
    interface Hidden { size: number }
    /** Uses a type that has no name outside. */
    export function pour(from: Hidden, to: Tea): void {}
  `,
  'other.ts': 'export const LEAF = 1;',
  'space.ts': 'export const WORD = 1;\n/** Said. */\nexport const BYTE = 2;',
};

it('finds what is missing in a sample', () => {
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost(options),
    fileExists: (path) => path.slice(3) in sample,
    readFile: (path) => sample[path.slice(3)],
    getSourceFile: (path, version) => {
      const text = sample[path.slice(3)];
      return text === undefined ? undefined : ts.createSourceFile(path, text, version, true);
    },
    directoryExists: (path) => path === '/r',
    getCurrentDirectory: () => '/r/',
  };
  const api = publicApi('/r/', { tea: 'index.ts' }, options, host);
  const bare = api.filter(({ comment }) => comment === '').map(({ name }) => name);
  expect(bare.sort()).toEqual([
    'tea: LEAF',
    'tea: Pot.milk',
    'tea: Tea.brew',
    'tea: Tea.milk',
    'tea: space.WORD',
  ]);
  expect(api.filter(({ unnamed }) => unnamed.length > 0)).toMatchObject([
    { name: 'tea: pour', place: 'index.ts:19', unnamed: ['Hidden'] },
  ]);
});

it('finds nothing missing here', () => {
  const api = publicApi(root, entryPoints(), options);
  const named = (place: string, name: string): string => `${place}: ${name}`;
  expect(api.length).toBeGreaterThan(1300);
  const bare = api.filter(({ comment }) => comment === '');
  expect(bare.map(({ place, name }) => named(place, `${name} has no doc comment`))).toEqual([]);
  const unnamed = api.filter((symbol) => symbol.unnamed.length > 0);
  expect(
    unnamed.map(({ place, name, unnamed: types }) =>
      named(place, `${name} mentions ${types.join(', ')}, which its entry does not export`),
    ),
  ).toEqual([]);
});
