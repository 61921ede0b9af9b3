/** Smaller code in dist/, for the package: what esbuild's bundling leaves, by chunks. */
import * as esbuild from 'esbuild';

/**
 * The command, the page and the laboratory are half of the package, and no user's stack trace is in
 * them. The kernel gets short names; its syntax stays as it is (kernel/mmu/access.ts). So does what
 * only pages have (its inputs begin with 'web:'): their own bundlers shorten names too.
 */
export async function minified(code, inputs) {
  const isOf = (folders) => inputs.every((path) => folders.test(path.replace(/^web:/, '')));
  const options = { format: 'esm', logLevel: 'warning' };
  if (isOf(/^(lab|cli|web|node_modules)\//)) {
    return (await esbuild.transform(code, { ...options, minify: true })).code;
  }
  const isOfPages = inputs.some((path) => path.startsWith('web:'));
  if (!isOfPages && !isOf(/^(kernel|shared|lab|cli|web|node_modules)\//)) return code;
  const short = { minifyIdentifiers: true, minifyWhitespace: true };
  return (await esbuild.transform(code, { ...options, ...short })).code;
}

/** What other bundlers shall leave alone, esbuild forgets when it minifies. */
export function withImportComments(code) {
  return code.replace(
    /\bimport\((?=[\w$])/g,
    'import(/* @vite-ignore */ /* webpackIgnore: true */ ',
  );
}
