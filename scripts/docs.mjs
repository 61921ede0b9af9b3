/**
 * `npm run docs`: the API reference, docs-api/index.html, from the doc comments of everything that
 * the entry points of package.json export. It fails when typedoc has a warning (a broken link, a
 * type that is mentioned and not exported), or when an export is not in the reference. That nothing
 * lacks a comment is checked by test/house/doc-comments.test.ts.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { Application } from 'typedoc';

const root = fileURLToPath(new URL('..', import.meta.url));
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** From the name of an entry point to its source. */
const sources = Object.entries(exports).flatMap(([name, { types }]) =>
  types === undefined
    ? []
    : [[name, root + types.replace('./dist/types/', '').replace(/\.d\.ts$/, '.ts')]],
);

/** The names that each source exports; one that is only run exports none and is left out. */
function exportedNames() {
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noEmit: true };
  const program = ts.createProgram(
    sources.map(([, path]) => path),
    options,
  );
  const checker = program.getTypeChecker();
  return new Map(
    sources.flatMap(([name, path]) => {
      const file = program.getSourceFile(path);
      const module = file && checker.getSymbolAtLocation(file);
      const names = module ? checker.getExportsOfModule(module).map((symbol) => symbol.name) : [];
      return names.length > 0 ? [[path, { name, names }]] : [];
    }),
  );
}

const wanted = exportedNames();
const app = await Application.bootstrapWithPlugins({
  options: `${root}typedoc.json`,
  entryPoints: [...wanted.keys()],
});
const project = await app.convert();
if (project === undefined) process.exit(1);
app.validate(project);

// An entry point is a module of the reference, in the order in which they were given.
const missing = [];
let count = 0;
for (const [path, { name, names }] of wanted) {
  const module = project.children?.find(
    (child) => project.getSymbolIdFromReflection(child)?.fileName === path,
  );
  const shown = new Set(module?.children?.map((child) => child.name));
  for (const symbol of names) {
    count++;
    if (!shown.has(symbol)) missing.push(`${name.replace('.', 'faultline')}: ${symbol}`);
  }
}
for (const name of missing) console.error(`not in the reference: ${name}`);
await app.generateOutputs(project);
if (missing.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings()) {
  console.error('The API reference is not complete: see above.');
  process.exit(1);
}
console.log(`${count} exports of ${wanted.size} entry points: docs-api/index.html`);
