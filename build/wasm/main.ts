/** Run by scripts/kernel-wasm.mjs: compiles the kernel of argument 1 into the folder argument 2. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { Refusal, compile, glueOf, kernelTarget } from './index.ts';

const [, , root = '', folder = ''] = argv;
try {
  const target = kernelTarget(root);
  const compiled = compile(target);
  const base64 = Buffer.from(compiled.bytes).toString('base64');
  writeFileSync(join(folder, 'kernel-wasm.mjs'), glueOf(compiled, target));
  writeFileSync(join(folder, 'kernel-wasm-bytes.mjs'), `export const base64 = '${base64}';\n`);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
