/** What the compiler cannot turn into WebAssembly, with its place: an error, not a guess. */
import { relative } from 'node:path';
import type ts from 'typescript';

/** The source is outside the subset. The message begins with `file:line`. */
export class Refusal extends Error {
  /** The name of the class. */
  override readonly name = 'Refusal';
}

/** Refuses a node. `root` is the folder that paths are relative to. */
export function refusal(root: string, node: ts.Node, what: string): Refusal {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
  const path = relative(root, file.fileName).replaceAll('\\', '/');
  return new Refusal(`${path}:${line + 1}: ${what}`);
}
