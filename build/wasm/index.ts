/** The compiler from the kernel's TypeScript to WebAssembly. */
export { compile, compileRoots } from './compile.ts';
export type { Compiled } from './compile.ts';
export { glueOf } from './glue.ts';
export { Program } from './program.ts';
export { Refusal } from './refusal.ts';
export { kernelTarget } from './target.ts';
export type { Target } from './target.ts';
