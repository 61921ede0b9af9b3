/**
 * Goal: imports inside kernel/ point down, and each export has a user. Method: as in
 * tidy.test.ts, each rule is first shown a sample that breaks it.
 */
import { describe, expect, it } from 'vitest';
import { kernelTarget } from '../../build/wasm/target.ts';
import * as rules from './import-rules.ts';
import { entryPoints, product, typescript } from './repository.ts';

/** Named in the text of Workers that tests bundle, or a sink that the engine must not drop. */
const importedByText = [
  'test/fixtures/concurrency/cpu.ts',
  'lab/bench/machine/memory-loops.ts',
  'lab/bench/machine/hit-tests.ts',
];

const kernel = product.filter(({ path }) => path.startsWith('kernel/'));

describe('the rooms of kernel/', () => {
  it('use what stands below them, types included', () => {
    const sample = {
      path: 'kernel/frames/a.ts',
      text: "import type { A } from '../space/a.ts';\nimport { b } from '../machine/b.ts';",
    };
    expect(rules.checkRoomOrder(sample)).toEqual([
      'kernel/frames/a.ts: must not import kernel/space/a.ts, which stands above it',
    ]);
    expect(rules.checkRoomOrder({ path: 'kernel/attic/a.ts', text: '' })).toEqual([
      'kernel/attic/a.ts: stands in no room of kernel/',
    ]);
    expect(kernel.flatMap(rules.checkRoomOrder)).toEqual([]);
  });

  it('all exist', () => {
    const rooms = new Set(kernel.map(({ path }) => rules.roomOf(path)));
    expect(rules.KERNEL_ROOMS.filter((room) => !rooms.has(room))).toEqual([]);
  });
});

it('lets the page read the machine, and never write to it', () => {
  const text =
    "import { load, store as put } from '../shared/atomics.ts';\n" +
    "import * as A from '../shared/atomics.ts';";
  expect(rules.checkPageOnlyReads({ path: 'web/a.ts', text })).toEqual([
    'web/a.ts: the page only reads, and must not import store',
    'web/a.ts: the page only reads, and must not import *',
  ]);
  const page = product.filter(({ path }) => path.startsWith('web/'));
  expect(page.length).toBeGreaterThan(20);
  expect(page.flatMap(rules.checkPageOnlyReads)).toEqual([]);
});

it('has no dead exports', () => {
  const files = [
    { path: 'a.ts', text: 'export const a = 1, b = 2; export type C = 1; export function d() {}' },
    { path: 'b.ts', text: "import * as A from './a.ts'; A.a; let c: A.C;" },
    { path: 'c.ts', text: "export { b } from './a.ts'; export const mine = '';" },
  ];
  expect(rules.findDeadExports(files, ['c.ts'])).toEqual(['a.ts: nobody imports d']);
  const whole = { path: 'd.ts', text: "import * as A from './a.ts'; f(A);" };
  expect(rules.findDeadExports([...files, whole], ['c.ts'])).toEqual([]);
  const typeTests = typescript.map(({ path }) => path).filter((p) => p.startsWith('test/types/'));
  const published = [...entryPoints, ...importedByText, ...typeTests];
  // What compiled code calls, the module that is generated with it imports.
  const compiled = new Set(
    [...kernelTarget('').imports, ...kernelTarget('').roots].map((name) =>
      name.replace('#', ': nobody imports '),
    ),
  );
  const dead = rules.findDeadExports(typescript, published);
  expect(dead.filter((line) => !compiled.has(line))).toEqual([]);
});
