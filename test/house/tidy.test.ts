/**
 * Goal: the repository keeps its house rules. Method: read every source once and run each rule
 * over all; each rule is first shown a sample that breaks it, so that a blind rule is noticed.
 */
import { describe, expect, it } from 'vitest';
import { code, entryPoints, everything, product, typescript } from './repository.ts';
import * as rules from './tidy-rules.ts';

/** The seeds' memory model is generic: it has addresses and sizes of its own. */
const withUnits = product.filter(({ path }) => /^kernel\/(?!areas\/)/.test(path));

function sample(path: string, text: string): rules.Source {
  return { path, text };
}

describe('tidy', () => {
  it('finds the sources', () => {
    const paths = everything.map(({ path }) => path);
    expect(paths).toContain('shared/atomics.ts');
    expect(paths).toContain('test/house/tidy.test.ts');
    expect(paths).toContain('build.mjs');
  });

  it('has no tabs and no control characters', () => {
    expect(rules.checkCharacters(sample('a.ts', 'a\n\tb\u0007\n'))).toEqual([
      'a.ts:2: tab',
      'a.ts:2: control character',
    ]);
    expect(everything.flatMap(rules.checkCharacters)).toEqual([]);
  });

  it('keeps to 100 columns', () => {
    expect(rules.checkColumns(sample('a.ts', 'x'.repeat(101)))).toEqual(['a.ts:1: 101 columns']);
    expect(code.flatMap(rules.checkColumns)).toEqual([]);
  });

  it('keeps files to 300 lines', () => {
    expect(rules.checkFileLength(sample('a.ts', 'x\n'.repeat(301)))).toEqual(['a.ts: 301 lines']);
    expect(rules.checkFileLength(sample('a.ts', 'x\n'.repeat(300)))).toEqual([]);
    expect(product.flatMap(rules.checkFileLength)).toEqual([]);
  });

  it('keeps functions to 70 lines', () => {
    const method = `class A {\n  m() {\n${'    x;\n'.repeat(69)}  }\n}`;
    expect(rules.checkFunctionLength(sample('a.ts', method))).toEqual([
      'a.ts:2: function of 71 lines',
    ]);
    expect(product.flatMap(rules.checkFunctionLength)).toEqual([]);
  });

  it('imports point down only', () => {
    const upward = [
      ["import 'comlink';", 'kernel/a.ts', 'comlink'],
      ["export * from '../kernel/a.ts';", 'shared/a.ts', '../kernel/a.ts'],
      ["type A = import('../lab/a.ts').A;", 'workers/a.ts', '../lab/a.ts'],
      ["await import('../workers/a.ts');", 'programs/a.ts', '../workers/a.ts'],
      ["import '../workers/index.ts';", 'web/a.ts', '../workers/index.ts'],
      ["import '../kernel/space/space.ts';", 'web/a.ts', '../kernel/space/space.ts'],
      ["import '../scripts/web.mjs';", 'cli/a.ts', '../scripts/web.mjs'],
    ] as const;
    for (const [text, path, specifier] of upward) {
      expect(rules.checkImportDirection(sample(path, text))).toEqual([
        `${path}: ${rules.folderOf(path)}/ must not import ${specifier}`,
      ]);
    }
    expect(product.flatMap(rules.checkImportDirection)).toEqual([]);
  });

  it('says at each ordered atomic access why its order suffices', () => {
    const imports = "import { load as read, peek } from '../../shared/atomics.ts';\n";
    const far = `// ORDER: too far away.\n${'\n'.repeat(8)}read(words, 0);\n`;
    const near = `// ORDER: near.\n${'\n'.repeat(7)}read(words, 0);\npeek(words, 0);\n`;
    expect(rules.checkOrderComments(sample('kernel/a.ts', imports + far))).toEqual([
      'kernel/a.ts:11: atomic call without an ORDER: comment',
    ]);
    expect(rules.checkOrderComments(sample('kernel/a.ts', imports + near))).toEqual([]);
    const ordered = product.filter(({ path }) => /^(kernel|workers)\//.test(path));
    expect(ordered.flatMap(rules.checkOrderComments)).toEqual([]);
  });

  it('converts between bytes and pages by named functions', () => {
    const bad = 'x * PAGE_SIZE; y / PAGE_SIZE;\nz >>> 12;\nz & 1023;\nz & 0xfff;\nz + 4096;\n';
    const good = '// 4096 bytes\nx % PAGE_SIZE; PAGE_SIZE / 1024; z >>> 10; 1023;\n';
    const lines = [1, 1, 2, 3, 4, 5];
    expect(rules.checkConversions(sample('kernel/a.ts', bad)).sort()).toEqual(
      lines.map((line) => `kernel/a.ts:${line}: a conversion by hand; see shared/units.ts`),
    );
    expect(rules.checkConversions(sample('kernel/a.ts', good))).toEqual([]);
    expect(withUnits.flatMap(rules.checkConversions)).toEqual([]);
  });

  it('gives what has a unit the type of its unit', () => {
    const bad = 'function f(vpn: number) {}\ninterface A { endVpn: number }';
    const good = 'function f(vpn: Vpn, count: number) {}\nclass A { space: SpaceBlock = 0 }';
    expect(rules.checkUnitTypes(sample('kernel/a.ts', bad)).sort()).toEqual([
      "kernel/a.ts:1: 'vpn' has a unit (shared/units.ts)",
      "kernel/a.ts:2: 'endVpn' has a unit (shared/units.ts)",
    ]);
    expect(rules.checkUnitTypes(sample('kernel/a.ts', good))).toEqual([]);
    expect(withUnits.flatMap(rules.checkUnitTypes)).toEqual([]);
  });

  it('has no dead files', () => {
    const files = [
      sample('workers/a.ts', "import './b.ts'; new URL('./c.js', import.meta.url);"),
      ...['b', 'c', 'dead'].map((name) => sample(`workers/${name}.ts`, '')),
    ];
    expect(rules.findDeadFiles(files, ['workers/a.ts'])).toEqual(['workers/dead.ts']);
    const isRoot =
      /^(test\/(.*\.test|types\/.*)|(programs|web)\/[^/]+|docs\/examples\/.*|.*\.d|[^/]+)\.ts$/;
    const roots = typescript.map(({ path }) => path).filter((path) => isRoot.test(path));
    expect(rules.findDeadFiles(typescript, [...roots, ...entryPoints])).toEqual([]);
  });
});
