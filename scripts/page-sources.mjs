/** The sources of a few kernel functions, which the lab's page shows beside what they have done. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const list = 'web/hand/fault-path.ts';

/** A function with its doc comment, as it stands in the file. */
function functionIn(text, name) {
  const pattern = new RegExp(
    `^(?:/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?(?:export )?function ${name}\\([^]*?^}$`,
    'm',
  );
  return pattern.exec(text)?.[0];
}

/** JSON: the text of each function that the list names, by `FILE:NAME`. */
export function pageSources(root) {
  const keys = readFileSync(join(root, list), 'utf8').matchAll(/'(kernel\/[\w/.-]+):(\w+)'/g);
  const sources = {};
  for (const [, path, name] of keys) {
    const text = functionIn(readFileSync(join(root, path), 'utf8'), name);
    if (text === undefined) throw new Error(`${list}: ${path} has no function ${name}`);
    sources[`${path}:${name}`] = text;
  }
  return JSON.stringify(sources);
}
