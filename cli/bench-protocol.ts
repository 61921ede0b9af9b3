/**
 * A user's protocol for the counting pass: bundled so that its 'faultline/kernel' is the build
 * whose atomics count.
 */
import { bundleModule, installedUrl } from './bundle-module.ts';
import type { LoadedModule } from './bundle-module.ts';

/**
 * A module that `loadModule` compiled already. null when it brings an atomics façade of its own, by
 * importing the kernel's sources: its accesses could not be counted, and half a count misleads.
 */
export async function loadForCounting(path: string): Promise<LoadedModule | null> {
  const counting = new URL('./bench-counting-kernel.js', import.meta.url);
  const module = await bundleModule(path, (specifier) =>
    specifier === 'faultline/kernel' ? counting : installedUrl(specifier),
  );
  if (!module.inputs.some((input) => input.endsWith('shared/atomics.ts'))) return module;
  await module.dispose();
  return null;
}
